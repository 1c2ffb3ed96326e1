"""The chat server's database, brought to the newest layout."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.exc import DBAPIError

from photochat import database
from photochat.errors import DataError

MIGRATIONS = Path(__file__).parent / "migrations"
_MIGRATION_LOCK = 0x70686F746F  # any number: PostgreSQL's advisory lock of the migrations


class Database(database.Database):
    """A database whose tables are those of collection/tables.py."""

    def migrate(self) -> None:
        """Bring the tables to the newest layout; several processes may do so at once.

        Raises:
            DataError: the database cannot be reached or written.
        """
        if self.is_sqlite and self.url.database:
            Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        try:
            with self.writing.begin() as connection:
                if not self.is_sqlite:
                    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        except DBAPIError as error:
            raise DataError(
                f"the database cannot be used ({error.orig})",
                file=self.shown,
            ) from error
