"""`campaign extend`: keep postings open longer, and add places to those that have room.

Asked for as what shall be, not as what to add, so that asking twice is asking once. A posting that
is closed gets no places unless it is opened again, and then its own are counted first.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from collection.campaign import Campaign
from collection.database import Database
from collection.money import ledger
from collection.money.calls import extend as call
from collection.money.carry_out import Carried, carry_out
from collection.money.fees import MANY_ASSIGNMENTS
from collection.recruiting.launch import CHAT
from collection.recruiting.recruiter import Recruiter
from collection.recruiting.synchronise import GONE_SECONDS, synchronise
from collection.tables import postings, submissions
from photochat.errors import DataError

HOUR = 3600


class Extension(msgspec.Struct, frozen=True):
    """What is asked of one posting: `assignments` more, open for `seconds` from now."""

    posting: str
    assignments: int
    seconds: int
    cost: Decimal


class Extended(msgspec.Struct, frozen=True):
    """What was asked; `short` places have no room in the postings there are: launch adds those."""

    dry_run: bool
    extensions: tuple[Extension, ...]
    short: int
    carried: Carried


class _Standing(msgspec.Struct, frozen=True):
    """A posting as it will be once what is asked for already is carried out."""

    posting: str
    assignments: int
    free: int  # places, where it is open
    opens: bool  # it is open, or is opened
    late: bool  # it closes before it shall
    occasion: str  # what tells this asking from one of the same hour


def extend(
    database: Database,
    recruiter: Recruiter,
    campaign: Campaign,
    *,
    hours: int,
    open_places: int = 0,
    only: str | None = None,
    dry_run: bool = False,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
    say: Callable[[str], None] = lambda line: None,
) -> Extended:
    """See to it that the chat postings are open for `hours`, with `open_places` in all.

    Without `hours` those that are closed stay as they are. Postings keep below ten assignments, or
    above if they began there: MTurk allows no other.

    Raises:
        BudgetError: the budget does not cover the places; nothing is extended then.
        DataError: the platform cannot be used, or there is no such posting.
    """
    carried = Carried()
    if not dry_run:
        carried = carry_out(database, recruiter, campaign, clock=clock, sleep=sleep, say=say)
    synchronise(database, recruiter, campaign, clock=clock)
    with database.writing.connect() as connection, connection.begin() as transaction:
        ledger.lock(connection, campaign)
        extensions, short = _intend(connection, campaign, hours, open_places, only, clock())
        if dry_run:
            transaction.rollback()
    if not dry_run and extensions and carried.stopped is None:
        carried = carry_out(database, recruiter, campaign, clock=clock, sleep=sleep, say=say)
        synchronise(database, recruiter, campaign, clock=clock)
    return Extended(dry_run, tuple(extensions), short, carried)


def _intend(
    connection: Connection,
    campaign: Campaign,
    hours: int,
    open_places: int,
    only: str | None,
    now: float,
) -> tuple[list[Extension], int]:
    chats = {
        row.posting: row
        for row in ledger.calls(connection, campaign, kinds=("publish",), states=("confirmed",))
        if row.key.startswith(CHAT)
    }
    query = sa.select(postings).where(
        postings.c.campaign == campaign.name, postings.c.seen_at >= now - GONE_SECONDS
    )
    shown = [row for row in connection.execute(query.order_by(postings.c.id)) if row.id in chats]
    if only is not None:
        shown = [row for row in shown if row.id == only]
        if not shown:
            raise DataError("no such chat posting of this campaign", field=only)
    taken = Counter(
        connection.execute(
            sa.select(submissions.c.posting).where(submissions.c.campaign == campaign.name)
        ).scalars()
    )
    before = ledger.calls(connection, campaign, kinds=("extend", "expire"))
    standing = [
        _stand(row, taken[row.id], [one for one in before if one.posting == row.id], hours, now)
        for row in shown
    ]
    missing = max(0, open_places - sum(one.free for one in standing if one.opens))
    extensions = []
    for one in standing:
        room = _room(one.assignments, campaign.recruiting.assignments_per_posting)
        more = min(missing, room) if one.opens else 0
        if not more and not one.late:
            continue
        missing -= more
        amount, fee, promise = chats[one.posting].unit
        # The hour it shall be open until is part of the key: again within it is the same call.
        until = int(now // HOUR) + hours
        wanted = call(
            f"{one.posting}/{one.assignments + more}/{until}/{one.occasion}",
            one.posting,
            assignments=more,
            seconds=hours * HOUR,
            unit_amount=amount,
            unit_fee=fee,
            unit_promise=promise,
        )
        ledger.intend(connection, campaign, wanted, now=now)
        cost = wanted.amount + wanted.fee + wanted.promised
        extensions.append(Extension(one.posting, more, hours * HOUR, cost))
    return extensions, missing


def _stand(
    row: sa.Row[Any], handed_in: int, calls: Sequence[ledger.Row], hours: int, now: float
) -> _Standing:
    """Say how a posting stands; `calls` are those that have extended or expired it."""
    asked = [one for one in calls if one.kind == "extend" and one.state in ledger.OPEN]
    units = sum(one.units for one in asked)
    seconds = max((one.payload["seconds"] for one in asked), default=0)
    expired = row.expires_at is not None and row.expires_at <= now
    closed = not row.open and (expired or row.available > 0)
    free = row.available
    if closed:  # then not every platform says what is free
        free = max(free, row.assignments - row.pending - handed_in)
    late = closed if row.expires_at is None else row.expires_at < now + hours * HOUR
    # Whatever ended an extension, or was refused, makes the next one another call.
    ended = sum(one.kind == "expire" or one.state == "failed-final" for one in calls)
    return _Standing(
        row.id,
        row.assignments + units,
        free + units,
        opens=bool(not closed or hours or seconds),
        late=late and seconds < hours * HOUR,
        occasion=f"opening {len(calls)}" if closed else str(ended),
    )


def _room(assignments: int, most: int) -> int:
    """How many assignments may be added without crossing from nine to ten."""
    if assignments < MANY_ASSIGNMENTS:
        return max(0, min(most, MANY_ASSIGNMENTS - 1) - assignments)
    return max(0, most - assignments)
