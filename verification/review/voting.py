"""A vote is given, changed, taken back; a reviewer has one for a dialogue, however often it comes.

Every function runs inside `store.transaction`, like those of assignment.py.
"""

from __future__ import annotations

from typing import Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from verification.review.assignment import change_places
from verification.review.tables import HELD, VOTED, assignments, items
from verification.review.trail import note
from verification.votes import Vote

Answer = Literal["counted", "already", "changed", "late", "not given"]


def vote(connection: Connection, given: Vote, now: float) -> Answer:
    """Take a vote.

    A reviewer who held the dialogue for too long is "late" when others have taken the places
    meanwhile: the vote then stands in the trail and counts nowhere. "not given": the dialogue was
    never shown to this reviewer.
    """
    a = assignments.c
    found = connection.execute(
        sa.select(assignments, items.c.places, items.c.gold)
        .join(items)
        .where(a.dialogue_id == given.dialogue_id, a.reviewer == given.reviewer)
    ).first()
    if found is None:
        return "not given"
    kind: Answer = "counted"
    detail = {
        "verdict": given.verdict,
        "reasons": list(given.reasons),
        "comment": given.comment,
        "seconds": given.seconds,
    }
    if found.state == VOTED:
        if _same(found, given):
            return "already"
        kind = "changed"
    elif found.state != HELD and found.places <= 0 and not found.gold:
        note(connection, now, given.reviewer, given.dialogue_id, "late", **detail)
        return "late"
    if kind == "counted":
        taken = 0 if found.state == HELD else -1
        change_places(connection, given.dialogue_id, taken, votes=1)
    connection.execute(
        sa.update(assignments)
        .where(a.dialogue_id == given.dialogue_id, a.reviewer == given.reviewer)
        .values(
            state=VOTED,
            until=None,
            verdict=given.verdict,
            reasons=",".join(given.reasons),
            comment=given.comment,
            seconds=given.seconds,
            at=now,
        )
    )
    note(
        connection,
        now,
        given.reviewer,
        given.dialogue_id,
        "voted" if kind == "counted" else kind,
        **detail,
    )
    return kind


def undo(connection: Connection, reviewer: str, dialogue_id: int, now: float, hold: float) -> bool:
    """Take a vote back: the reviewer holds the dialogue again.

    False if there is no vote, or on a dialogue that is no longer given: its vote stays.
    """
    a = assignments.c
    place = (a.dialogue_id == dialogue_id, a.reviewer == reviewer, a.state == VOTED)
    verdict = connection.scalar(
        sa.select(a.verdict).join_from(assignments, items).where(*place, items.c.wanted > 0)
    )
    if verdict is None:
        return False
    connection.execute(
        sa.update(assignments).where(*place).values(state=HELD, since=now, until=now + hold)
    )
    change_places(connection, dialogue_id, 0, votes=-1)
    note(connection, now, reviewer, dialogue_id, "undone", verdict=verdict)
    return True


def latest_vote(connection: Connection, reviewer: str) -> int | None:
    """Return the dialogue on which the reviewer voted last, of those that are still given."""
    a = assignments.c
    found = connection.scalar(
        sa.select(a.dialogue_id)
        .join_from(assignments, items)
        .where(a.reviewer == reviewer, a.state == VOTED, items.c.wanted > 0)
        .order_by(a.at.desc(), a.dialogue_id)
        .limit(1)
    )
    return None if found is None else int(found)


def _same(row: Row[tuple[object, ...]], given: Vote) -> bool:
    return (row.verdict, row.reasons, row.comment) == (
        given.verdict,
        ",".join(given.reasons),
        given.comment,
    )
