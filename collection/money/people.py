"""Who has finished a campaign, how it ended for them, and how much of their time it took."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from collection.money.pay import PaidKind, paid_kind
from collection.tables import conversations, events, participants

_BROKEN_OFF = ("abandoned", "expired")


class Person(msgspec.Struct, frozen=True):
    """One finished participation. `kind` is None where it is not paid."""

    participant: int
    worker: str
    assignment: str
    kind: PaidKind | None
    reason: str
    code: str | None
    joined_at: float
    finished_at: float


def finished(reader: Connection, campaign: str) -> list[Person]:
    """List the finished participations of a campaign, in the order of their coming."""
    talks = _broken_off(campaign)
    query = (
        sa.select(participants, talks.c.shared)
        .select_from(participants.outerjoin(talks, talks.c.who == participants.c.id))
        .where(participants.c.campaign == campaign, participants.c.finished_at.is_not(None))
        .order_by(participants.c.id)
    )
    return [
        Person(
            row.id,
            row.worker,
            row.assignment,
            paid_kind(row.reason, talked=row.shared is not None, shared=bool(row.shared)),
            row.reason,
            row.code,
            row.joined_at,
            row.finished_at,
        )
        for row in reader.execute(query)
    ]


def kind_of(reader: Connection, campaign: str, participant: int) -> PaidKind | None:
    """Return how one participation is paid; None where it is not, or not finished."""
    talks = _broken_off(campaign)
    row = reader.execute(
        sa.select(participants.c.reason, talks.c.shared)
        .select_from(participants.outerjoin(talks, talks.c.who == participants.c.id))
        .where(participants.c.id == participant)
    ).one()
    return paid_kind(row.reason, talked=row.shared is not None, shared=bool(row.shared))


def count_kinds(reader: Connection, campaign: str) -> dict[PaidKind, int]:
    """Count the participations to be paid by how they ended."""
    talks = _broken_off(campaign)
    counted = (
        sa.select(participants.c.reason, talks.c.shared, sa.func.count())
        .select_from(participants.outerjoin(talks, talks.c.who == participants.c.id))
        .where(participants.c.campaign == campaign, participants.c.reason.is_not(None))
        .group_by(participants.c.reason, talks.c.shared)
    )
    kinds: Counter[PaidKind] = Counter()
    for reason, shared, count in reader.execute(counted):
        kind = paid_kind(reason, talked=shared is not None, shared=bool(shared))
        if kind is not None:
            kinds[kind] += count
    return dict(kinds)


def _broken_off(campaign: str) -> Any:
    """Participants of conversations that broke off, and whether a photo had been shared (1, 0)."""
    shared = sa.exists().where(
        events.c.conversation == conversations.c.id, events.c.kind == "share"
    )
    sides = [
        sa.select(side.label("who"), sa.case((shared, 1), else_=0).label("shared")).where(
            conversations.c.campaign == campaign, conversations.c.phase.in_(_BROKEN_OFF)
        )
        for side in (conversations.c.sharer, conversations.c.receiver)
    ]
    both = sa.union_all(*sides).subquery()
    return (
        sa.select(both.c.who, sa.func.max(both.c.shared).label("shared"))
        .group_by(both.c.who)
        .subquery()
    )
