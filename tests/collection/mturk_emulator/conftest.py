"""An emulator in a thread of the test, with boto3 as its client and a hand on its controls."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.collection.mturk_emulator.rehearsal import Rehearsal, rehearsal


@pytest.fixture
def mturk(tmp_path: Path) -> Iterator[Rehearsal]:
    """An emulator with 100 dollars, whose clock stands."""
    with rehearsal(tmp_path / "books.db") as running:
        yield running


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """An emulator that a module's tests share because they ask only what is refused."""
    with rehearsal(tmp_path_factory.mktemp("unchanged") / "books.db") as running:
        yield running
        books = running.control("books")
        assert not books["hits"]
        assert books["account"]["available"] == 10_000
