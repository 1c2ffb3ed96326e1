"""Carrying out what the ledger intends: each call once, whatever breaks in between.

A row is claimed (`sent`, committed) before its call, and its answer stored after. A process that
finds a row `sent` leaves it alone as long as another may still be waiting for the answer, then
makes the call again with the same token; where the token may have expired, and before a call is
given up, the platform's books are looked into first. So they are before a posting or a bonus is
asked for at all: this ledger may be a backup of one that had asked for it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import sqlalchemy as sa

from collection.campaign import Campaign
from collection.database import Database
from collection.money import perform
from collection.money.ledger import OPEN, Row, calls, first_due
from collection.money.platform_books import PlatformBooks
from collection.recruiting.recruiter import (
    AlreadyDoneError,
    NoMoneyError,
    NotThereError,
    Recruiter,
    RecruiterError,
    TryAgainError,
)
from collection.tables import ledger
from photochat.errors import DataError

LEASE_SECONDS = 90.0  # longer than any one call may take
TOKEN_SECONDS = 12 * 3600.0  # MTurk keeps a token for 24 hours; half of it, to be safe
GIVE_UP_SECONDS = 24 * 3600.0  # after this "does not exist yet" is "does not exist",
GIVE_UP_ATTEMPTS = 8  # if it was asked for so often: one bad moment after a long break is no proof
FIRST_WAIT_SECONDS = 1.0  # doubled by every failure
LONGEST_WAIT_SECONDS = 60.0
PATIENCE_SECONDS = 300.0

_MINE = ledger.c.id == sa.bindparam("id_")
_CLAIM = (
    sa.update(ledger)
    .where(
        _MINE,
        ledger.c.state == sa.bindparam("state_"),
        ledger.c.attempts == sa.bindparam("attempts_"),
    )
    .values(
        {
            name: sa.bindparam(name)
            for name in ("state", "attempts", "first_sent_at", "not_before", "changed_at")
        }
    )
)
_CONFIRM = (
    sa.update(ledger)
    .where(_MINE, ledger.c.state != "confirmed")
    .values(
        {
            name: sa.bindparam(name)
            for name in ("state", "result", "last_error", "changed_at", "posting")
        }
    )
)


class Carried(msgspec.Struct, frozen=True):
    """What became of the calls: `left` are still to be made, which a later run will do.

    Of the `confirmed` ones, `found` had been carried out before, and were not made again.
    """

    confirmed: int = 0
    found: int = 0
    tried_again: int = 0
    failed: int = 0
    left: int = 0
    stopped: str | None = None

    def then(self, later: Carried) -> Carried:
        """Return what became of these calls and of those of a later run together."""
        return Carried(
            self.confirmed + later.confirmed,
            self.found + later.found,
            self.tried_again + later.tried_again,
            self.failed + later.failed,
            later.left,
            later.stopped,
        )


def carry_out(
    database: Database,
    recruiter: Recruiter,
    campaign: Campaign,
    *,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
    patience: float = PATIENCE_SECONDS,
    say: Callable[[str], None] = lambda line: None,
) -> Carried:
    """Make the calls that the ledger intends, in their order; wait at most `patience` seconds.

    Safe at any time, again, and in several processes at once.

    Raises:
        DataError: no call can be made at all (credentials, a platform that is gone); nothing is
            lost, the rows are as they were.
    """
    counts: Counter[str] = Counter()
    books = PlatformBooks(database, recruiter)
    failures, stopped, looked = 0, None, Counter[int]()
    while stopped is None:
        now = clock()
        with database.read() as reader:
            row = first_due(reader, campaign)
        if row is None:
            break
        # One row's wait holds up the others only while the platform fails: see `failures`.
        wait = max(row.not_before - now, _backoff(failures) if failures else 0.0)
        if wait > patience:
            stopped = f"{row.kind} {row.key}: {row.last_error or 'still without an answer'}"
            break
        if wait > 0:
            if row.state == "sent":  # perhaps the answer comes earlier: look again and again
                if not looked[row.id]:
                    say(f"waiting {wait:.0f} s for the answer to {row.kind} {row.key}")
                wait = min(wait, 2.0 ** looked[row.id])
                looked[row.id] += 1
            patience -= wait
            sleep(wait)
            if row.state == "sent":
                continue
        claimed = _claim(database, row, clock(), max(LEASE_SECONDS, _settling(recruiter, row)))
        if claimed is None:
            continue
        outcome, error = _ask(database, recruiter, books, claimed, clock)
        counts[outcome] += 1
        failures = failures + 1 if isinstance(error, TryAgainError) else 0
        if isinstance(error, NoMoneyError):
            stopped = f"the account's balance does not cover {row.kind} {row.key}: {error}"
    with database.read() as reader:
        left = len(calls(reader, campaign, states=OPEN))
    confirmed = counts["confirmed"] + counts["found"]
    return Carried(
        confirmed, counts["found"], counts["tried_again"], counts["failed"], left, stopped
    )


def _claim(database: Database, row: Row, now: float, lease: float) -> Row | None:
    """Mark a row as sent, for as long as one call may take; None if another was quicker."""
    changes = {
        "state": "sent",
        "attempts": row.attempts + 1,
        "first_sent_at": row.first_sent_at or now,
        "not_before": now + lease,
        "changed_at": now,
    }
    with database.writing.begin() as connection:
        values = {"id_": row.id, "state_": row.state, "attempts_": row.attempts, **changes}
        claimed = connection.execute(_CLAIM, values)
    return msgspec.structs.replace(row, **changes) if claimed.rowcount else None


def _ask(
    database: Database,
    recruiter: Recruiter,
    books: PlatformBooks,
    row: Row,
    clock: Callable[[], float],
) -> tuple[str, Exception | None]:
    """Make one call, unless it is found to be made, and store what came of it."""
    first = row.first_sent_at if row.first_sent_at is not None else clock()
    age = clock() - first
    forgotten = row.attempts > 1 and age > TOKEN_SECONDS
    try:
        done, result = books.find(row) if forgotten else books.find_older(row)
        try:
            if not done:
                result = perform.perform(recruiter, row)
        except AlreadyDoneError as error:
            done, result = True, perform.result_of(recruiter, row, error)
        except (TryAgainError, NoMoneyError):
            raise
        except RecruiterError as error:
            # An earlier attempt of unknown fate may have been carried out.
            done, result = books.find(row) if row.attempts > 1 else (False, None)
            if not done:
                final = not isinstance(error, NotThereError) or (
                    age > GIVE_UP_SECONDS and row.attempts >= GIVE_UP_ATTEMPTS
                )
                _store_failure(database, row, error, clock(), final=final)
                return "failed" if final else "tried_again", error
    except RecruiterError as error:
        after = error.after if isinstance(error, TryAgainError) else 0.0
        wait = max(_backoff(row.attempts), after)
        _store_failure(database, row, error, clock(), final=False, wait=wait)
        return "tried_again", error
    except DataError as error:
        _store_failure(database, row, error, clock(), final=False, wait=0.0)
        raise
    except KeyboardInterrupt:
        wait = _settling(recruiter, row)
        _store_failure(database, row, "interrupted", clock(), final=False, wait=wait)
        raise
    _store_answer(database, row, result, clock())
    return "found" if done else "confirmed", None


def _store_answer(database: Database, row: Row, result: Any, now: float) -> None:
    """What the platform has confirmed is confirmed, whoever asked and whatever stood there."""
    values: dict[str, Any] = {
        "state": "confirmed",
        "result": msgspec.json.encode(result).decode(),
        "last_error": None,
        "changed_at": now,
    }
    if row.kind == "publish":
        values["posting"] = result
    with database.writing.begin() as connection:
        connection.execute(_CONFIRM, {"id_": row.id, "posting": row.posting, **values})


def _store_failure(
    database: Database,
    row: Row,
    error: object,
    now: float,
    *,
    final: bool,
    wait: float | None = None,
) -> None:
    """Store a failure, unless another process has taken the row over since."""
    wait = _backoff(row.attempts) if wait is None else wait
    with database.writing.begin() as connection:
        connection.execute(
            sa.update(ledger)
            .where(
                ledger.c.id == row.id,
                ledger.c.state == "sent",
                ledger.c.attempts == row.attempts,
            )
            .values(
                state="failed-final" if final else "failed-retry",
                last_error=" ".join(str(error).split()) or type(error).__name__,
                not_before=now + wait,
                changed_at=now,
            )
        )


def _settling(recruiter: Recruiter, row: Row) -> float:
    """How long the books may not tell whether a row was carried out."""
    return recruiter.settling_seconds if row.kind == "bonus" else 0.0


def _backoff(failures: int) -> float:
    return min(FIRST_WAIT_SECONDS * 2.0 ** min(failures - 1, 20), LONGEST_WAIT_SECONDS)
