"""What the review's tests stand on: databases of both kinds, a desk with dialogues, a reviewer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import make_dialogue
from verification.review.desk import Desk
from verification.review.store import Item, open_review

SECRET = "a secret of the tests"
MakeDesk = Callable[..., Desk]


@pytest.fixture(params=["sqlite", "postgresql"])
def db_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/review.db"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def make_desk(tmp_path: Path) -> Iterator[MakeDesk]:
    """Make desks over `count` dialogues of ids 1, 2, ..., and gold ones of the ids `gold`."""
    made: list[Desk] = []

    def make(
        url: str = "",
        count: int = 4,
        *,
        overlap: int = 2,
        gold: tuple[int, ...] = (),
        **more: object,
    ) -> Desk:
        url = url or f"sqlite:///{tmp_path}/review.db"
        items = [Item(make_dialogue(dialogue_id=n + 1), overlap) for n in range(count)]
        items += [Item(make_dialogue("0:gold 1:*", dialogue_id=n), 1, gold=True) for n in gold]
        items = more.pop("items", items)
        database, _ = open_review(url, items)
        settings = {
            "database": database,
            "dialogues": {item.dialogue.dialogue_id: item.dialogue for item in items},
            "findings": {},
            "images": tmp_path / "images",
            "cache": tmp_path / "cache",
            "secret": SECRET,
            "reviewers": frozenset(),
            "gold_share": 0.1 if gold else 0.0,
        }
        made.append(Desk(**{**settings, **more}))
        return made[-1]

    yield make
    for desk in made:
        desk.database.close()
