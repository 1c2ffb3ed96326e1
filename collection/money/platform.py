"""What the platform shows of a campaign: its postings, and what was handed in under them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import msgspec

from collection.campaign import Campaign
from collection.database import Database
from collection.money import ledger
from collection.money.perform import order_of
from collection.recruiting.recruiter import (
    Posting,
    Recruiter,
    RecruiterError,
    Submission,
    TryAgainError,
)
from photochat.errors import DataError

T = TypeVar("T")
_READINGS = 6


class Platform(msgspec.Struct, frozen=True):
    """What the platform shows of a campaign's postings."""

    postings: Mapping[str, Posting]
    chat: tuple[Submission, ...]
    compensations: Mapping[str, Sequence[Submission]]
    longest_assignment: float
    unknown: str | None  # why submissions may be there that are not shown here


def look(
    database: Database,
    recruiter: Recruiter,
    campaign: Campaign,
    sleep: Callable[[float], None] = time.sleep,
) -> Platform:
    """Read from the platform all that belongs to a campaign's confirmed postings.

    Raises:
        DataError: it does not answer, asked several times.
    """
    with database.read() as reader:
        rows = ledger.calls(reader, campaign, kinds=("publish",))
    orders = {
        row.posting: order_of(row) for row in rows if row.state == "confirmed" and row.posting
    }
    listed = patiently(lambda: list(recruiter.postings()), sleep)
    shown = {one.id: one for one in listed if one.id in orders}
    found: dict[str, tuple[Submission, ...]] = {}
    for posting in shown:
        found[posting] = patiently(lambda p=posting: tuple(recruiter.submissions(p)), sleep)  # type: ignore[misc]
    chat = [posting for posting in shown if orders[posting].kind == "chat"]
    unknown = None
    if any(row.state in ledger.OPEN for row in rows if order_of(row).kind == "chat"):
        unknown = "a posting has been sent, and the platform's answer is still missing"
    elif gone := [p for p, order in orders.items() if order.kind == "chat" and p not in shown]:
        unknown = f"{len(gone)} postings are no longer listed by the platform"
    return Platform(
        shown,
        tuple(one for posting in chat for one in found[posting]),
        {posting: subs for posting, subs in found.items() if posting not in chat},
        max((float(orders[posting].assignment_seconds) for posting in chat), default=0.0),
        unknown,
    )


def patiently(read: Callable[[], T], sleep: Callable[[float], None]) -> T:
    """Read from a platform, again where it does not answer.

    Raises:
        DataError: it never did.
    """
    for attempt in range(_READINGS):
        try:
            return read()
        except TryAgainError as error:
            problem = str(error)
            sleep(2.0**attempt)
        except RecruiterError as error:
            raise DataError(f"the platform refuses to be read: {error}") from error
    raise DataError(f"the platform does not answer ({problem}): run the command again later")
