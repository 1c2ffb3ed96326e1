"""Which dialogues are to be reviewed, by how many: `again.jsonl`, one dialogue a line.

`wanted` is the number of votes that the dialogue shall have in the end, those of the reviewers `by`
included, so that using the same list twice asks for nothing more. A review leaves out of `wanted`
those of them who have not voted in its own database: their votes came from elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import msgspec

from photochat.atomic import atomic_file
from photochat.errors import UNDECODABLE, DataError
from verification.decide import Decision, Rule


class ReviewItem(msgspec.Struct, frozen=True, omit_defaults=True):
    """A dialogue that needs votes; without `wanted`, as many as the review's overlap."""

    dialogue_id: int
    wanted: Annotated[int, msgspec.Meta(ge=1, le=1000)] | None = None
    votes: int = 0  # that it has now
    by: tuple[str, ...] = ()  # whose these are
    why: str = ""


def again(decisions: Iterable[Decision], rule: Rule) -> list[ReviewItem]:
    """Return the dialogues that are sent back, each with one vote more than it has."""
    return [
        ReviewItem(
            d.dialogue_id,
            max(len(d.reviewers) + 1, rule.min_votes),
            len(d.reviewers),
            tuple(d.reviewers),
            d.why,
        )
        for d in decisions
        if d.outcome == "again"
    ]


def read_review_items(path: str | Path) -> list[ReviewItem]:
    """Read a list of dialogues to be reviewed.

    Raises:
        DataError: no such file, or a line names no dialogue.
    """
    try:
        lines = Path(path).read_bytes().splitlines()
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", file=path) from error
    items = []
    for number, line in enumerate(lines, start=1):
        try:
            items.append(msgspec.json.decode(line, type=ReviewItem))
        except UNDECODABLE as error:
            problem = f'names no dialogue ({error}): write {{"dialogue_id": 7}}'
            raise DataError(problem, file=path, record=f"line {number}") from error
    return items


def write_review_items(path: str | Path, items: Iterable[ReviewItem]) -> None:
    """Write the list, whole or not at all."""
    with atomic_file(Path(path)) as part, part.open("wb") as file:
        for item in items:
            file.write(msgspec.json.encode(item) + b"\n")
