"""`campaign extend`: keep postings open longer, and add places to those that have room.

Asked for as what shall be, not as what to add, so that asking twice is asking once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal

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
from collection.recruiting.synchronise import synchronise
from collection.tables import postings
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

    Postings keep below ten assignments, or above if they began there: MTurk allows no other.

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
    query = sa.select(postings).where(postings.c.campaign == campaign.name)
    shown = [row for row in connection.execute(query.order_by(postings.c.id)) if row.id in chats]
    if only is not None:
        shown = [row for row in shown if row.id == only]
        if not shown:
            raise DataError("no such chat posting of this campaign", field=only)
    asked = ledger.calls(connection, campaign, kinds=("extend",), states=ledger.OPEN)
    there = sum(row.available for row in shown if row.open) + sum(row.units for row in asked)
    missing = max(0, open_places - there)
    extensions = []
    for row in shown:
        room = _room(row.assignments, campaign.recruiting.assignments_per_posting)
        more = min(missing, room)
        late = row.expires_at is not None and row.expires_at < now + hours * HOUR
        if not more and not (hours and late):
            continue
        missing -= more
        amount, fee, promise = chats[row.id].unit
        # The hour it shall be open until is part of the key: again within it is the same call.
        until = int(now // HOUR) + hours
        wanted = call(
            f"{row.id}/{row.assignments + more}/{until}",
            row.id,
            assignments=more,
            seconds=hours * HOUR,
            unit_amount=amount,
            unit_fee=fee,
            unit_promise=promise,
        )
        ledger.intend(connection, campaign, wanted, now=now)
        cost = wanted.amount + wanted.fee + wanted.promised
        extensions.append(Extension(row.id, more, hours * HOUR, cost))
    return extensions, missing


def _room(assignments: int, most: int) -> int:
    """How many assignments may be added without crossing from nine to ten."""
    if assignments < MANY_ASSIGNMENTS:
        return max(0, min(most, MANY_ASSIGNMENTS - 1) - assignments)
    return max(0, most - assignments)
