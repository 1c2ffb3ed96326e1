"""The simulated platform's file: made where there is none, and refused where it cannot be one."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from collection.recruiting.simulated import SimulatedRecruiter
from photochat.errors import DataError


def another_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE postings (id INTEGER)")


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.mkdir(),
        lambda path: path.write_text("no database, whatever it is called"),
        another_database,
    ],
    ids=["folder", "text", "another database"],
)
def test_a_file_that_is_none_of_ours_is_refused_by_its_key(tmp_path, make):
    """In one line; so is one that nobody can make."""
    path = tmp_path / "platform.db"
    make(path)
    for books in (path, tmp_path / "missing" / "platform.db"):
        with pytest.raises(DataError, match="cannot be used") as caught:
            SimulatedRecruiter(books)
        assert (caught.value.file, caught.value.field) == (str(books), "recruiting.books")
