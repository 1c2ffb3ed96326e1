"""A SQLite (WAL) or PostgreSQL database: one engine for reading, one for writing."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import QueuePool

from photochat.atomic import make_private
from photochat.errors import DataError

LOCK_WAIT_MS = 30_000  # how long SQLite waits for another process's transaction
READERS = 10
CHECKPOINT_PAGES = 20_000  # 80 MB written ahead: only then the writer does it itself


class Database:
    """One engine for reading and one for writing.

    The writing engine begins its transactions with the write lock (SQLite: BEGIN IMMEDIATE), so
    that what a transaction has read cannot change before it writes.
    """

    def __init__(self, url: str) -> None:
        """Open a database, without touching it yet.

        Raises:
            DataError: the URL is not understood or its driver is not installed.
        """
        try:
            self.url = sa.make_url(url)
            if self.url.drivername in ("postgresql", "postgres"):
                self.url = self.url.set(drivername="postgresql+psycopg")
            self.is_sqlite = self.url.get_backend_name() == "sqlite"
            if self.is_sqlite and self.url.database in (None, "", ":memory:"):
                raise DataError(
                    "a database in memory is lost with the process: name a file", field="db"
                )
            self.reading = self._engine("BEGIN")
            self.writing = self._engine("BEGIN IMMEDIATE")
        except (ArgumentError, NoSuchModuleError) as error:
            raise DataError(
                f"not a database URL ({error}): write sqlite:///chat.db or postgresql://...",
                field="db",
            ) from error
        except ModuleNotFoundError as error:
            raise DataError(
                f"{error.name} is not installed: pip install 'photochat-toolkit[postgres]'",
                field="db",
            ) from error

    @property
    def shown(self) -> str:
        """The address without its password, for messages."""
        return self.url.render_as_string(hide_password=True)

    def read(self) -> Connection:
        """Return a connection for reading; close it soon (`with database.read() as reader`)."""
        return self.reading.connect()

    def snapshot(self) -> Connection:
        """Return a connection that sees the database as it is at its first question."""
        options: Any = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        return self.reading.connect().execution_options(**options)

    def checkpoint(self) -> None:
        """Bring what SQLite has written ahead into the file, as far as nobody is in the way."""
        if self.is_sqlite:
            with self.reading.connect() as connection:
                raw: Any = connection.connection.dbapi_connection
                raw.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def insert(self, table: sa.Table) -> Any:
        """Return the dialect's INSERT, which knows `on_conflict_do_nothing`."""
        if self.is_sqlite:
            from sqlalchemy.dialects.sqlite import insert
        else:
            from sqlalchemy.dialects.postgresql import insert  # type: ignore[assignment]
        return insert(table)

    def close(self) -> None:
        """Close every connection."""
        self.reading.dispose()
        self.writing.dispose()

    def _engine(self, begin: str) -> Engine:
        if not self.is_sqlite:
            return sa.create_engine(self.url, pool_size=READERS, max_overflow=READERS)
        engine = sa.create_engine(
            self.url,
            poolclass=QueuePool,
            pool_size=READERS,
            max_overflow=READERS,
            connect_args={"check_same_thread": False, "timeout": LOCK_WAIT_MS / 1000},
        )

        @sa.event.listens_for(engine, "do_connect")
        def _be_private(*_: Any) -> None:
            # A new file is its owner's alone, and so are those that SQLite puts beside it: they
            # hold who said what. Where it cannot be made, the driver says why.
            with suppress(OSError):
                make_private(str(self.url.database))

        @sa.event.listens_for(engine, "connect")
        def _set_up(connection: Any, record: Any) -> None:
            connection.isolation_level = None  # transactions are begun below, not by the driver
            cursor = connection.cursor()
            cursor.execute("PRAGMA journal_mode = WAL")
            # FULL: a commit is on the disk when it returns, even if the power fails then.
            cursor.execute("PRAGMA synchronous = FULL")
            # `checkpoint` does it beside the traffic; a writer that does it holds up everybody.
            cursor.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
            cursor.execute("PRAGMA foreign_keys = ON")
            cursor.close()

        @sa.event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql(begin)

        return engine
