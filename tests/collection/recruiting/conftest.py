"""A campaign on SQLite; what holds between processes is tested on PostgreSQL too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from collection.database import Database
from tests.collection.recruiting.stage import Stage


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/chat.db")
    database.migrate()
    yield database
    database.close()


@pytest.fixture
def stage(sqlite: Database, tmp_path: Path) -> Stage:
    return Stage(sqlite, tmp_path)
