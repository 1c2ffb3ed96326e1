"""What the requester sees: a campaign in numbers, its conversations, one as it goes."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from collection.campaign import Campaign
from collection.events import LIVE
from collection.money.pay import Money, committed
from collection.money.people import count_kinds
from collection.tables import campaigns, conversations, events, participants, photos

STATUSES = ("open", "paused", "draining")
LISTED = 200  # conversations in one answer
RATE_SECONDS = 300.0  # messages a minute are averaged over this


class Coverage(msgspec.Struct, frozen=True):
    """Photos, and how many of the wanted conversations there are."""

    photos: int
    wanted: int
    completed: int
    leased: int


class Summary(msgspec.Struct, frozen=True):
    """A campaign in numbers. `causes` counts what was not completed, by why."""

    campaign: str
    status: str
    at: float
    connections: int
    stages: dict[str, int]
    live: int
    waiting: int
    completed: int
    causes: dict[str, int]
    outcomes: dict[str, int]
    coverage: Coverage
    money: Money
    messages: int
    messages_per_minute: float
    median_conversation_seconds: float | None


class Listed(msgspec.Struct, frozen=True):
    """One conversation in the list."""

    id: int
    phase: str
    photo_id: str
    started_at: float
    ended_at: float | None
    events: int
    cause: str | None
    complete: bool


class Line(msgspec.Struct, frozen=True):
    """One event of a transcript."""

    seq: int
    at: float
    kind: str
    by: str | None
    data: dict[str, Any]


class Transcript(msgspec.Struct, frozen=True):
    """A conversation with its events."""

    conversation: Listed
    lines: list[Line]


def summary(reader: Connection, campaign: Campaign, now: float, connections: int) -> Summary:
    """Count a campaign."""
    name = campaign.name
    mine, theirs = participants.c.campaign == name, conversations.c.campaign == name
    stages = _counts(reader, participants.c.stage, mine)
    phases = _counts(reader, conversations.c.phase, theirs)
    said = (
        sa.select(sa.func.count())
        .select_from(events.join(conversations, events.c.conversation == conversations.c.id))
        .where(theirs, events.c.kind == "say")
    )
    recent = reader.execute(said.where(events.c.at >= now - RATE_SECONDS)).scalar_one()
    covered = reader.execute(
        sa.select(
            sa.func.count(),
            sa.func.coalesce(sa.func.sum(photos.c.wanted), 0),
            sa.func.coalesce(sa.func.sum(photos.c.completed), 0),
            sa.func.coalesce(sa.func.sum(photos.c.leased), 0),
        ).where(photos.c.campaign == name)
    ).one()
    lengths = sorted(
        reader.execute(
            sa.select(conversations.c.ended_at - conversations.c.started_at)
            .where(theirs, conversations.c.ended_at.is_not(None))
            .order_by(conversations.c.id.desc())
            .limit(LISTED)
        ).scalars()
    )
    return Summary(
        campaign=name,
        status=status_of(reader, name),
        at=now,
        connections=connections,
        stages=stages,
        live=sum(phases.get(phase, 0) for phase in LIVE),
        waiting=stages.get("waiting", 0),
        completed=sum(phases.get(phase, 0) for phase in ("ended", "submitted")),
        causes=_counts(
            reader,
            conversations.c.cause,
            sa.and_(theirs, conversations.c.phase.in_(("abandoned", "expired"))),
        ),
        outcomes=_counts(
            reader, participants.c.reason, sa.and_(mine, participants.c.reason.is_not(None))
        ),
        coverage=Coverage(*map(int, covered)),
        money=committed(campaign.pay, count_kinds(reader, name), stages),
        messages=reader.execute(said).scalar_one(),
        messages_per_minute=recent * 60 / RATE_SECONDS,
        median_conversation_seconds=lengths[len(lengths) // 2] if lengths else None,
    )


def conversation_list(
    reader: Connection, campaign: str, phase: str | None, before: int | None
) -> list[Listed]:
    """List conversations, newest first, `LISTED` at most; go on with `before` the last one's id."""
    query = sa.select(conversations).where(conversations.c.campaign == campaign)
    if phase:
        query = query.where(conversations.c.phase == phase)
    if before is not None:
        query = query.where(conversations.c.id < before)
    rows = reader.execute(query.order_by(conversations.c.id.desc()).limit(LISTED))
    return [_listed(row) for row in rows]


def transcript(
    reader: Connection, campaign: str, conversation: int, after: int = 0
) -> Transcript | None:
    """Return a conversation with its events after a seq; None if there is none."""
    row = reader.execute(
        sa.select(conversations).where(
            conversations.c.campaign == campaign, conversations.c.id == conversation
        )
    ).one_or_none()
    if row is None:
        return None
    lines = reader.execute(
        sa.select(events)
        .where(events.c.conversation == conversation, events.c.seq > after)
        .order_by(events.c.seq)
    )
    return Transcript(
        _listed(row),
        [Line(e.seq, e.at, e.kind, e.by, msgspec.json.decode(e.data)) for e in lines],
    )


def status_of(reader: Connection, campaign: str) -> str:
    """Return whether a campaign is open, paused or draining."""
    query = sa.select(campaigns.c.status).where(campaigns.c.name == campaign)
    return str(reader.execute(query).scalar_one())


def set_status(connection: Connection, campaign: str, status: str, now: float) -> None:
    """Open, pause or drain a campaign, in all processes."""
    connection.execute(
        sa.update(campaigns)
        .where(campaigns.c.name == campaign)
        .values(status=status, changed_at=now)
    )


def _counts(reader: Connection, column: Any, where: Any) -> dict[str, int]:
    query = sa.select(column, sa.func.count()).where(where).group_by(column).order_by(column)
    return {str(name): count for name, count in reader.execute(query)}


def _listed(row: Any) -> Listed:
    return Listed(
        row.id,
        row.phase,
        row.photo_id,
        row.started_at,
        row.ended_at,
        row.seq,
        row.cause,
        bool(row.complete),
    )
