"""`campaign close`: let nobody accept a posting any more, and say what is left to do.

Nothing is approved and nothing is paid by closing. Who has accepted may finish.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec
import sqlalchemy as sa

from collection.campaign import Campaign
from collection.database import Database
from collection.money import ledger
from collection.money.calls import expire
from collection.money.carry_out import Carried, carry_out
from collection.recruiting.recruiter import Recruiter
from collection.recruiting.review import Entry, entries
from collection.recruiting.synchronise import synchronise
from collection.tables import participants, postings


class Closed(msgspec.Struct, frozen=True):
    """What was closed, and what is left: who is still at work, and what waits for a decision."""

    dry_run: bool
    expired: tuple[str, ...]
    at_work: int  # accepted, or talking on the chat server
    to_decide: tuple[Entry, ...]
    failed_calls: int
    carried: Carried


def close(
    database: Database,
    recruiter: Recruiter,
    campaign: Campaign,
    *,
    dry_run: bool = False,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
    say: Callable[[str], None] = lambda line: None,
) -> Closed:
    """Expire all open postings of the campaign, those for compensation excepted: they are owed.

    Raises:
        DataError: the platform cannot be used.
    """
    carried = Carried()
    if not dry_run:
        carried = carry_out(database, recruiter, campaign, clock=clock, sleep=sleep, say=say)
    synchronise(database, recruiter, campaign, clock=clock)
    with database.writing.connect() as connection, connection.begin() as transaction:
        rows = ledger.calls(connection, campaign)
        kept = {
            row.posting
            for row in rows
            if row.kind == "publish" and row.payload["order"]["kind"] == "compensation"
        }
        query = sa.select(postings.c.id).where(
            postings.c.campaign == campaign.name, postings.c.open
        )
        opened = [one for one in connection.execute(query).scalars() if one not in kept]
        for posting in opened:
            # Whoever extends a posting may close it again: each time is a call of its own.
            times = sum(row.posting == posting and row.kind in ("extend", "expire") for row in rows)
            pending = [
                row
                for row in rows
                if row.posting == posting and row.kind == "expire" and row.state in ledger.OPEN
            ]
            if not pending:
                ledger.intend(connection, campaign, expire(posting, key=f"{posting}/{times}"),
                              now=clock())  # fmt: skip
        if dry_run:
            transaction.rollback()
    if not dry_run and opened and carried.stopped is None:
        carried = carry_out(database, recruiter, campaign, clock=clock, sleep=sleep, say=say)
        synchronise(database, recruiter, campaign, clock=clock)
    with database.read() as reader:
        accepted = reader.execute(
            sa.select(sa.func.coalesce(sa.func.sum(postings.c.pending), 0)).where(
                postings.c.campaign == campaign.name
            )
        ).scalar_one()
        there = reader.execute(
            sa.select(sa.func.count()).where(
                participants.c.campaign == campaign.name, participants.c.finished_at.is_(None)
            )
        ).scalar_one()
        undecided = [one for one in entries(reader, campaign) if one.is_open]
        failed = len(ledger.calls(reader, campaign, states=("failed-final",)))
    return Closed(
        dry_run, tuple(opened), max(int(accepted), int(there)), tuple(undecided), failed, carried
    )
