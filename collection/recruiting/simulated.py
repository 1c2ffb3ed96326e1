"""A platform of our own, for rehearsals: its books in one SQLite file, its workers function calls.

It keeps to what MTurk documents where money depends on it: tokens that are forgotten after a day,
fees, rewards held from publishing on, submissions that approve themselves. The file outlives a
process that is killed, as a platform does.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Literal

import msgspec

from collection.money.cents import from_cents, to_cents
from collection.money.fees import MTURK, Fees, bonus_fee
from collection.recruiting.recruiter import (
    Order,
    PaidBonus,
    Posting,
    RecruiterError,
    Submission,
)
from collection.recruiting.simulated_books import Books, order_of

# Called before and after each call is carried out, with its name; what it raises comes out of it.
Fault = Callable[[Literal["before", "after"], str], None]


class SimulatedRecruiter:
    """A `Recruiter`, and beside it what its workers do: `accept`, `submit`, `give_back`."""

    name = "simulated"
    settling_seconds = 0.0

    def __init__(
        self,
        path: str | Path,
        *,
        deposit: Decimal = Decimal("10000.00"),
        fees: Fees = MTURK,
        clock: Callable[[], float] = time.time,
        fault: Fault = lambda moment, operation: None,
    ) -> None:
        """Open the books in a file, or begin them with a deposit. ":memory:" keeps none."""
        self.fault = fault
        self._fees, self._clock = fees, clock
        self._books = Books(path, deposit, fees, clock)

    # --- what a requester asks ---------------------------------------------------------------

    def publish(self, order: Order) -> str:
        """See `Recruiter.publish`."""
        with self._call("publish"):
            self._books.refuse_used(order.token)
            self._books.refuse_unaffordable(
                self._books.unit(order, order.assignments) * order.assignments
            )
            made = self._books.execute(
                "INSERT INTO postings (ask, assignments, expires_at) VALUES (?, ?, ?)",
                (
                    msgspec.json.encode(order).decode(),
                    order.assignments,
                    self._clock() + order.lifetime_seconds,
                ),
            ).lastrowid
            self._books.use(order.token, str(made))
        return str(made)

    def postings(self) -> Iterator[Posting]:
        """See `Recruiter.postings`."""
        with self._call("postings"):
            rows = self._books.execute("SELECT * FROM postings ORDER BY id").fetchall()
            found = [self._books.shown(row) for row in rows]
        yield from found

    def extend(self, posting: str, *, assignments: int, seconds: int, token: str) -> None:
        """See `Recruiter.extend`."""
        with self._call("extend"):
            self._books.refuse_used(token)
            row = self._books.posting(posting)
            more = row["assignments"] + assignments
            if row["assignments"] < 10 <= more:
                raise RecruiterError("a posting of fewer than 10 cannot have 10 or more")
            self._books.refuse_unaffordable(self._books.unit(order_of(row), more) * assignments)
            ends = row["expires_at"]
            if seconds:
                ends = max(ends, self._clock() + seconds)
            self._books.execute(
                "UPDATE postings SET assignments = ?, expires_at = ? WHERE id = ?",
                (more, ends, row["id"]),
            )
            self._books.use(token, posting)

    def expire(self, posting: str) -> None:
        """See `Recruiter.expire`."""
        with self._call("expire"):
            row = self._books.posting(posting)
            self._books.execute(
                "UPDATE postings SET expires_at = min(expires_at, ?) WHERE id = ?",
                (self._clock(), row["id"]),
            )

    def submissions(self, posting: str) -> Iterator[Submission]:
        """See `Recruiter.submissions`."""
        with self._call("submissions"):
            order = order_of(self._books.posting(posting))
            rows = self._books.execute(
                "SELECT * FROM submissions WHERE posting = ? AND submitted_at IS NOT NULL "
                "ORDER BY id",
                (posting,),
            ).fetchall()
        for row in rows:
            yield Submission(
                str(row["id"]),
                str(row["posting"]),
                row["worker"],
                row["state"],
                row["submitted_at"],
                msgspec.json.decode(row["answers"], type=dict[str, str]),
                row["submitted_at"] + order.auto_approval_seconds,
            )

    def approve(self, submission: str, *, message: str = "", override: bool = False) -> None:
        """See `Recruiter.approve`."""
        with self._call("approve"):
            state = self._books.submission(submission)["state"]
            if state == "rejected" and not override:
                raise RecruiterError(f"submission {submission} has been rejected")
            self._books.set_state(submission, "approved")

    def reject(self, submission: str, *, reason: str) -> None:
        """See `Recruiter.reject`."""
        with self._call("reject"):
            if self._books.submission(submission)["state"] == "approved":
                raise RecruiterError(f"submission {submission} has been approved")
            self._books.set_state(submission, "rejected")

    def bonus(
        self, *, worker: str, submission: str, amount: Decimal, reason: str, token: str
    ) -> None:
        """See `Recruiter.bonus`."""
        with self._call("bonus"):
            self._books.refuse_used(token)
            if self._books.submission(submission)["worker"] != worker:
                raise RecruiterError(f"submission {submission} is not {worker}'s")
            fee = bonus_fee(self._fees, amount)
            self._books.refuse_unaffordable(amount + fee)
            self._books.execute(
                "INSERT INTO bonuses VALUES (?, ?, ?, ?, ?, ?)",
                (submission, worker, to_cents(amount), to_cents(fee), reason, self._clock()),
            )
            self._books.use(token, None)

    def bonuses(self, posting: str) -> Iterator[PaidBonus]:
        """See `Recruiter.bonuses`."""
        with self._call("bonuses"):
            rows = self._books.execute(
                "SELECT b.* FROM bonuses b JOIN submissions s ON s.id = b.submission "
                "WHERE s.posting = ? ORDER BY b.rowid",
                (posting,),
            ).fetchall()
        for row in rows:
            yield PaidBonus(
                posting,
                str(row["submission"]),
                row["worker"],
                from_cents(row["amount"]),
                row["reason"],
                row["at"],
            )

    def qualify(self, qualification: str, worker: str, value: int | None) -> None:
        """See `Recruiter.qualify`."""
        with self._call("qualify"):
            self._books.execute(
                "DELETE FROM qualifications WHERE name = ? AND worker = ?", (qualification, worker)
            )
            if value is not None:
                self._books.execute(
                    "INSERT INTO qualifications VALUES (?, ?, ?)", (qualification, worker, value)
                )

    def notify(self, workers: Sequence[str], *, subject: str, text: str) -> tuple[str, ...]:
        """See `Recruiter.notify`; everybody can be written to."""
        with self._call("notify"):
            rows = [(worker, subject, text) for worker in workers]
            for row in rows:
                self._books.execute("INSERT INTO letters VALUES (?, ?, ?)", row)
        return ()

    def balance(self) -> Decimal:
        """What the deposit has left beside what is spent and what postings hold."""
        with self._call("balance"):
            return self._books.balance()

    # --- what workers do, and what the books say ---------------------------------------------

    def accept(self, posting: str, worker: str) -> str:
        """A worker takes an assignment; return its id, under which it is handed in."""
        with self._books.carried_out():
            row = self._books.posting(posting)
            if not self._books.shown(row).open:
                raise RecruiterError("nothing is left to be accepted")
            for requirement in order_of(row).requirements:
                if not self._books.meets(worker, requirement):
                    raise RecruiterError(f"{worker} does not meet {requirement.name}")
            try:
                taken = self._books.execute(
                    "INSERT INTO submissions (posting, worker, state, accepted_at) "
                    "VALUES (?, ?, 'accepted', ?)",
                    (posting, worker, self._clock()),
                )
            except sqlite3.IntegrityError as error:
                raise RecruiterError("one assignment of a posting for each worker") from error
        return str(taken.lastrowid)

    def submit(self, submission: str, answers: dict[str, str]) -> None:
        """A worker hands in an accepted assignment, within its time."""
        with self._books.carried_out():
            changed = self._books.execute(
                "UPDATE submissions SET state = 'submitted', submitted_at = ?, answers = ? "
                "WHERE id = ? AND state = 'accepted'",
                (self._clock(), msgspec.json.encode(answers).decode(), submission),
            )
            if not changed.rowcount:
                raise RecruiterError("not accepted, or handed in before")

    def give_back(self, submission: str) -> None:
        """A worker returns an accepted assignment: somebody else may take it."""
        with self._books.carried_out():
            self._books.execute(
                "DELETE FROM submissions WHERE id = ? AND state = 'accepted'", (submission,)
            )

    def spent(self) -> Decimal:
        """All that has been paid, to workers and as fees."""
        with self._books.carried_out():
            return self._books.spent()

    def letters(self) -> list[tuple[str, str]]:
        """What has been written to workers: (worker, subject)."""
        rows = self._books.execute("SELECT worker, subject FROM letters ORDER BY rowid")
        return [(row["worker"], row["subject"]) for row in rows]

    def close(self) -> None:
        """Close the file."""
        self._books.close()

    @contextlib.contextmanager
    def _call(self, operation: str) -> Iterator[None]:
        self.fault("before", operation)
        with self._books.carried_out():
            yield
        self.fault("after", operation)
