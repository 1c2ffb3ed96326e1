"""The platform's postings and submissions, copied into the database page by page.

The copy is what the commands and the dashboard show; it may be made again at any time. What the
platform no longer shows stays, with the time when it was last seen; a posting counts as over then.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from collection.campaign import Campaign
from collection.database import Database
from collection.money.ledger import token_prefix
from collection.money.people import Person, finished
from collection.recruiting.matching import match
from collection.recruiting.recruiter import Posting, Recruiter, Submission
from collection.tables import participants, postings, submissions

GONE_SECONDS = 24 * 3600.0  # a posting that the platform has not shown for so long is over


class Seen(msgspec.Struct, frozen=True):
    """What the platform showed: postings of the campaign, and submissions by state."""

    postings: int
    submitted: int
    approved: int
    rejected: int


def synchronise(
    database: Database,
    recruiter: Recruiter,
    campaign: Campaign,
    *,
    clock: Callable[[], float] = time.time,
) -> Seen:
    """Ask the platform for all of a campaign's postings and submissions, and store them.

    Raises:
        RecruiterError: the platform did not answer; then nothing was stored.
    """
    prefix = token_prefix(campaign.name)
    ours = [one for one in recruiter.postings() if (one.token or "").startswith(prefix)]
    handed_in = [one for posting in ours for one in recruiter.submissions(posting.id)]
    with database.writing.begin() as connection:
        store(connection, database, campaign, ours, handed_in, clock())
    states = [one.state for one in handed_in]
    return Seen(len(ours), *(states.count(s) for s in ("submitted", "approved", "rejected")))


def store(
    connection: Connection,
    database: Database,
    campaign: Campaign,
    ours: list[Posting],
    handed_in: list[Submission],
    now: float,
) -> None:
    """Store what a platform showed, with the participation that each submission is for."""
    for posting in ours:
        values: dict[str, Any] = {
            "token": posting.token,
            "assignments": posting.assignments,
            "open": posting.open,
            "pending": posting.pending,
            "available": posting.available,
            "expires_at": posting.expires_at if math.isfinite(posting.expires_at) else None,
            "seen_at": now,
        }
        _upsert(connection, database, postings, campaign.name, posting.id, values)
    connection.execute(
        sa.update(postings)
        .where(postings.c.campaign == campaign.name, postings.c.seen_at < now - GONE_SECONDS)
        .values(open=False, pending=0, available=0)
    )
    matches = match(
        handed_in,
        finished(connection, campaign.name),
        unfinished=_unfinished(connection, campaign.name),
        expected=code_of(campaign),
    )
    for one in handed_in:
        found = matches[one.id]
        values = {
            "posting": one.posting,
            "worker": one.worker,
            "state": one.state,
            "code": one.answers.get("code"),
            "submitted_at": one.submitted_at,
            "deadline": one.approved_by_itself_at,
            "participant": found.person.participant if found.person else None,
            "finding": found.finding,
            "seen_at": now,
        }
        _upsert(connection, database, submissions, campaign.name, one.id, values)


def code_of(campaign: Campaign) -> Callable[[Person], str | None]:
    """Return which code a person hands in: on Prolific by how it ended, else their own."""
    codes = campaign.recruiting.prolific.codes

    def prolifics(person: Person) -> str | None:
        return codes.get(person.kind) if person.kind else None

    def own(person: Person) -> str | None:
        return person.code

    return prolifics if campaign.recruiting.recruiter == "prolific" else own


def _unfinished(connection: Connection, campaign: str) -> list[tuple[str, str]]:
    query = sa.select(participants.c.worker, participants.c.assignment).where(
        participants.c.campaign == campaign, participants.c.finished_at.is_(None)
    )
    return [(row.worker, row.assignment) for row in connection.execute(query)]


def _upsert(
    connection: Connection,
    database: Database,
    table: sa.Table,
    campaign: str,
    id: str,
    values: dict[str, Any],
) -> None:
    insert = database.insert(table).values(campaign=campaign, id=id, **values)
    connection.execute(insert.on_conflict_do_update(index_elements=["campaign", "id"], set_=values))
