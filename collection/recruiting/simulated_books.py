"""The books of the simulated platform: what it knows, holds and has paid, in one SQLite file."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from collection.money.cents import from_cents, to_cents
from collection.money.fees import Fees, assignment_fee
from collection.recruiting.recruiter import (
    AlreadyDoneError,
    NoMoneyError,
    NotThereError,
    Order,
    Posting,
    Requirement,
)
from photochat.atomic import make_private
from photochat.errors import DataError

TOKEN_SECONDS = 24 * 3600.0
BUILT_IN = frozenset({"locale", "percent approved", "number approved", "adult", "masters"})
_LAYOUT = """
CREATE TABLE IF NOT EXISTS account (deposit INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS tokens (token TEXT PRIMARY KEY, at REAL NOT NULL, made TEXT);
CREATE TABLE IF NOT EXISTS postings (id INTEGER PRIMARY KEY AUTOINCREMENT, ask TEXT NOT NULL,
    assignments INTEGER NOT NULL, expires_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS submissions (id INTEGER PRIMARY KEY AUTOINCREMENT,
    posting INTEGER NOT NULL REFERENCES postings, worker TEXT NOT NULL, state TEXT NOT NULL,
    accepted_at REAL NOT NULL, submitted_at REAL, answers TEXT, UNIQUE (posting, worker));
CREATE TABLE IF NOT EXISTS bonuses (submission INTEGER NOT NULL REFERENCES submissions,
    worker TEXT NOT NULL, amount INTEGER NOT NULL, fee INTEGER NOT NULL, reason TEXT NOT NULL,
    at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS qualifications (name TEXT NOT NULL, worker TEXT NOT NULL,
    value INTEGER NOT NULL, PRIMARY KEY (name, worker));
CREATE TABLE IF NOT EXISTS letters (worker TEXT NOT NULL, subject TEXT NOT NULL, text TEXT NOT NULL)
"""


class Books:
    """The file, one transaction a call, and the sums. Money is whole cents in it."""

    def __init__(
        self, path: str | Path, deposit: Decimal, fees: Fees, clock: Callable[[], float]
    ) -> None:
        """Open the file, or begin it with a deposit.

        Raises:
            DataError: there cannot be such a file, or it is none of ours.
        """
        self._fees, self._clock = fees, clock
        self._lock = threading.Lock()  # one connection has one transaction
        if str(path) != ":memory:":
            with contextlib.suppress(OSError):  # then the driver says why
                make_private(path)  # it names workers
        try:
            self._file = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._file.row_factory = sqlite3.Row
            self._begin(deposit)
        except sqlite3.Error as error:
            raise DataError(
                f"the simulated platform's file cannot be used ({error})",
                file=path,
                field="recruiting.books",
            ) from error

    def _begin(self, deposit: Decimal) -> None:
        self._file.execute("PRAGMA busy_timeout = 30000")
        for statement in _LAYOUT.split(";"):
            self._file.execute(statement)
        with self.carried_out():
            if self._file.execute("SELECT 1 FROM account").fetchone() is None:
                self._file.execute("INSERT INTO account VALUES (?)", (to_cents(deposit),))

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self._file.execute(statement, values)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @contextlib.contextmanager
    def carried_out(self) -> Iterator[None]:
        """One transaction: all of it or nothing."""
        with self._lock:
            self._file.execute("BEGIN IMMEDIATE")
            try:
                self._approve_due()
                yield
            except BaseException:
                self._file.execute("ROLLBACK")
                raise
            self._file.execute("COMMIT")

    def _approve_due(self) -> None:
        self._file.execute(
            "UPDATE submissions SET state = 'approved' WHERE state = 'submitted' AND ? >= "
            "submitted_at + (SELECT json_extract(ask, '$.auto_approval_seconds') FROM postings p "
            "WHERE p.id = posting)",
            (self._clock(),),
        )
        self._file.execute(  # whoever lets the time pass has given the assignment back
            "DELETE FROM submissions WHERE state = 'accepted' AND ? > accepted_at + "
            "(SELECT json_extract(ask, '$.assignment_seconds') FROM postings p "
            "WHERE p.id = posting)",
            (self._clock(),),
        )

    def refuse_used(self, token: str) -> None:
        """Raise `AlreadyDoneError` for a token that has been used, as long as it is remembered."""
        row = self._file.execute("SELECT * FROM tokens WHERE token = ?", (token,)).fetchone()
        if row is not None and self._clock() < row["at"] + TOKEN_SECONDS:
            raise AlreadyDoneError(f"the token {token} has been used", row["made"])

    def use(self, token: str, made: str | None) -> None:
        """Remember a token, and what it made."""
        self._file.execute(
            "INSERT OR REPLACE INTO tokens VALUES (?, ?, ?)", (token, self._clock(), made)
        )

    def refuse_unaffordable(self, cost: Decimal) -> None:
        """Raise `NoMoneyError` for what the balance does not cover."""
        balance = self.balance()
        if cost > balance:
            raise NoMoneyError(f"{cost} is needed, the balance is {balance}")

    def unit(self, order: Order, assignments: int) -> Decimal:
        """Return what one assignment costs, its fee included."""
        masters = any(requirement.name == "masters" for requirement in order.requirements)
        return order.reward + assignment_fee(self._fees, order.reward, assignments, masters=masters)

    def spent(self) -> Decimal:
        """Return all that has been paid: approved rewards, bonuses, their fees."""
        paid = self._file.execute("SELECT coalesce(sum(amount + fee), 0) FROM bonuses")
        spent = from_cents(paid.fetchone()[0])
        for row, _, approved in self.units():
            spent += approved * self.unit(order_of(row), row["assignments"])
        return spent

    def balance(self) -> Decimal:
        """Return what the deposit has left beside what is spent and what postings hold."""
        deposit = self._file.execute("SELECT deposit FROM account").fetchone()[0]
        held = sum(
            (held * self.unit(order_of(row), row["assignments"]) for row, held, _ in self.units()),
            Decimal(0),
        )
        return from_cents(deposit) - self.spent() - held

    def units(self) -> Iterator[tuple[sqlite3.Row, int, int]]:
        """Of each posting: the units whose reward is held, and those that are paid."""
        for row in self._file.execute("SELECT * FROM postings").fetchall():
            states = self.states(row["id"])
            in_work = states.get("accepted", 0) + states.get("submitted", 0)
            free = row["assignments"] - sum(states.values())
            open_ = self._clock() < row["expires_at"]
            yield row, in_work + (free if open_ else 0), states.get("approved", 0)

    def states(self, posting: int) -> dict[str, int]:
        """Count a posting's assignments that have been accepted, by state."""
        rows = self._file.execute(
            "SELECT state, count(*) FROM submissions WHERE posting = ? GROUP BY state",
            (posting,),
        )
        return {row[0]: row[1] for row in rows}

    def shown(self, row: sqlite3.Row) -> Posting:
        """Return a posting's row as the platform shows it."""
        order, states = order_of(row), self.states(row["id"])
        available = row["assignments"] - sum(states.values())
        return Posting(
            str(row["id"]),
            order.token,
            order.reward,
            row["assignments"],
            available > 0 and self._clock() < row["expires_at"],
            row["expires_at"],
            states.get("accepted", 0),
            available,
        )

    def posting(self, posting: str) -> sqlite3.Row:
        """Return a posting's row, or raise `NotThereError`."""
        return self._one("postings", posting)

    def submission(self, submission: str) -> sqlite3.Row:
        """Return the row of what was handed in, or raise `NotThereError`."""
        row = self._one("submissions", submission)
        if row["submitted_at"] is None:
            raise NotThereError(f"submission {submission} does not exist yet")
        return row

    def _one(self, table: str, id: str) -> sqlite3.Row:
        row: Any = self._file.execute(
            f"SELECT * FROM {table} WHERE id = ?",  # noqa: S608 - our tables
            (id,),
        ).fetchone()
        if row is None:
            raise NotThereError(f"there is no {id} among the {table}")
        assert isinstance(row, sqlite3.Row)
        return row

    def set_state(self, submission: str, state: str) -> None:
        """Approve or reject a submission."""
        self._file.execute("UPDATE submissions SET state = ? WHERE id = ?", (state, submission))

    def meets(self, worker: str, requirement: Requirement) -> bool:
        """Whether a worker meets a requirement; everybody meets the platform's own ones."""
        if requirement.name in BUILT_IN:
            return True
        row = self._file.execute(
            "SELECT value FROM qualifications WHERE name = ? AND worker = ?",
            (requirement.name, worker),
        ).fetchone()
        match requirement.comparator:
            case "Exists":
                return row is not None
            case "DoesNotExist":
                return row is None
            case "GreaterThanOrEqualTo":
                return row is not None and row["value"] >= int(requirement.values[0])
            case "EqualTo" | "In":
                return row is not None and str(row["value"]) in requirement.values
            case "NotEqualTo" | "NotIn":
                return row is None or str(row["value"]) not in requirement.values


def order_of(row: sqlite3.Row) -> Order:
    """Return the order that a posting's row was made of."""
    return msgspec.json.decode(row["ask"], type=Order)
