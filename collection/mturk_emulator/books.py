"""The books: what every call reads and changes, in one SQLite file and one transaction a call.

A call is answered after its transaction was committed, so whatever kills this process, what has
been answered stands in the file.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from collection.mturk_emulator import tables
from collection.mturk_emulator.lifecycle import catch_up
from collection.mturk_emulator.turn import Rules, Turn
from photochat.atomic import make_private
from photochat.errors import DataError

LOCK_WAIT_SECONDS = 30
LAST_MOMENT = 4_102_444_800.0  # the year 2100


class Books:
    """An opened file. Calls come one after the other, also those of several threads."""

    def __init__(
        self,
        path: Path,
        *,
        balance: int = 0,
        stands_at: float | None = None,
        rules: Rules | None = None,
    ) -> None:
        """Open the file; a new one is given its balance (cents) and its clock.

        Raises:
            DataError: the file is not a database or cannot be written.
        """
        self.rules = rules or Rules()
        self._lock = threading.RLock()
        self._engine = sa.create_engine(
            sa.URL.create("sqlite", database=str(path)),
            connect_args={"check_same_thread": False, "timeout": LOCK_WAIT_SECONDS},
            poolclass=sa.StaticPool,
        )
        sa.event.listen(self._engine, "connect", _set_up)
        sa.event.listen(self._engine, "begin", _begin)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            make_private(path)  # it names workers
            with self._engine.begin() as connection:
                if not sa.inspect(connection).has_table("account"):
                    tables.metadata.create_all(connection, checkfirst=False)
                    _open_account(connection, balance, stands_at)
        except (DBAPIError, OSError) as error:
            reason = getattr(error, "orig", None) or error
            raise DataError(f"the books cannot be opened ({reason})", file=path) from error

    @contextmanager
    def turn(self, call: str = "") -> Iterator[Turn]:
        """Begin a call; what time has brought is booked first. The block's end commits."""
        with self._lock, self._engine.begin() as connection:
            turn = Turn(connection, now(connection), self.rules, call)
            catch_up(turn)
            yield turn

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._engine.dispose()


def now(connection: Connection) -> float:
    """Return the time on the emulator's clock."""
    row = connection.execute(sa.select(tables.clock)).one()
    return float(row.stands_at if row.stands_at is not None else time.time() + row.ahead)


def set_clock(turn: Turn, moment: float, *, stands: bool) -> float:
    """Set the clock, which either stands from then on or goes on; it never goes back.

    Raises:
        ValueError: the moment has passed, or lies too far ahead to come back from.
    """
    if moment > LAST_MOMENT:
        raise ValueError("the clock goes to the year 2100 at most")
    if moment < turn.now:
        raise ValueError(f"the clock does not go back: it is {turn.now}")
    row = turn.connection.execute(sa.select(tables.clock)).one()
    turn.change(tables.clock, row, ahead=moment - time.time(), stands_at=moment if stands else None)
    return moment


def _open_account(connection: Connection, balance: int, stands_at: float | None) -> None:
    sums = {"deposited": balance, "available": balance, "held": 0, "paid": 0, "fees": 0}
    connection.execute(tables.account.insert().values(**sums))
    connection.execute(tables.clock.insert().values(ahead=0.0, stands_at=stands_at))
    at = now(connection)
    connection.execute(tables.entries.insert().values(at=at, kind="deposit", **sums))


def _set_up(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # transactions are begun below, not by the driver
    connection.execute("PRAGMA journal_mode = WAL")
    # NORMAL: committed is committed whatever happens to the process; a rehearsal need not survive
    # the machine's power failing.
    connection.execute("PRAGMA synchronous = NORMAL")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
