"""Who reviews which dialogue: at most the wanted number of reviewers hold or have voted on each.

Every function runs inside `store.transaction`, which lets one at a time through, so what is read
here cannot change before it is written.
"""

from __future__ import annotations

import hashlib

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from verification.review.tables import EXPIRED, HELD, SKIPPED, VOTED, assignments, items
from verification.review.trail import note


def claim(
    connection: Connection, reviewer: str, now: float, *, hold: float, gold_share: float
) -> int | None:
    """Give the reviewer a dialogue, the one they hold if they do; None if none is left for them.

    `hold` seconds without a vote, and the place is free again.
    """
    free_expired(connection, now)
    a = assignments.c
    held = connection.scalar(
        sa.select(a.dialogue_id)
        .where(a.reviewer == reviewer, a.state == HELD)
        .order_by(a.since.desc())
        .limit(1)
    )
    if held is not None:
        connection.execute(
            sa.update(assignments)
            .where(a.reviewer == reviewer, a.dialogue_id == held)
            .values(until=now + hold)
        )
        return int(held)
    given = connection.scalar(sa.select(sa.func.count()).where(a.reviewer == reviewer)) or 0
    chosen = None
    if gold_is_due(reviewer, given, gold_share):
        chosen = _next_gold(connection, reviewer)
    if chosen is None:
        chosen = _next_item(connection, reviewer)
    if chosen is not None:
        _hold(connection, chosen, reviewer, now, hold)
        note(connection, now, reviewer, chosen, "given")
    return chosen


def gold_is_due(reviewer: str, given: int, share: float) -> bool:
    """Say whether a reviewer who was given `given` dialogues gets a gold one now.

    One in every 1/share, at a place among them that nobody can guess from the last one.
    """
    if share <= 0:
        return False
    block = max(1, round(1 / share))
    return given % block == _draw(f"{reviewer}:{given // block}") % block


def skip(connection: Connection, reviewer: str, dialogue_id: int, now: float) -> bool:
    """Put a held dialogue aside for this reviewer; its place is free. False if not held."""
    if not _leave(connection, reviewer, dialogue_id, SKIPPED):
        return False
    note(connection, now, reviewer, dialogue_id, "skipped")
    return True


def take_up_skipped(connection: Connection, reviewer: str, now: float) -> None:
    """Let the dialogues that a reviewer has skipped come back to them."""
    a = assignments.c
    connection.execute(
        sa.update(assignments)
        .where(a.reviewer == reviewer, a.state == SKIPPED)
        .values(state=EXPIRED)
    )
    note(connection, now, reviewer, None, "took up skipped")


def free_expired(connection: Connection, now: float) -> None:
    """Free the places of dialogues that were held for too long."""
    a = assignments.c
    late = connection.execute(
        sa.select(a.dialogue_id, a.reviewer).where(a.state == HELD, a.until < now)
    ).all()
    for row in late:
        _leave(connection, row.reviewer, row.dialogue_id, EXPIRED)
        note(connection, now, row.reviewer, row.dialogue_id, "expired")


def _next_item(connection: Connection, reviewer: str) -> int | None:
    """Return the dialogue to be finished first: the one with the most votes, then in file order."""
    return connection.scalar(
        sa.select(items.c.dialogue_id)
        .where(~items.c.gold, items.c.places > 0, ~_had_by(reviewer))
        .order_by(items.c.votes.desc(), items.c.position)
        .limit(1)
    )


def _next_gold(connection: Connection, reviewer: str) -> int | None:
    left = connection.scalars(
        sa.select(items.c.dialogue_id).where(items.c.gold, items.c.wanted > 0, ~_had_by(reviewer))
    )
    return min(left, key=lambda number: _draw(f"{reviewer}:{number}"), default=None)


def _had_by(reviewer: str) -> sa.ColumnElement[bool]:
    a = assignments.c
    return (
        sa.select(a.dialogue_id)
        .where(
            a.dialogue_id == items.c.dialogue_id,
            a.reviewer == reviewer,
            a.state.in_((HELD, VOTED, SKIPPED)),
        )
        .exists()
    )


def _hold(connection: Connection, dialogue_id: int, reviewer: str, now: float, hold: float) -> None:
    a = assignments.c
    place = {"state": HELD, "since": now, "until": now + hold}
    changed = connection.execute(
        sa.update(assignments)
        .where(a.dialogue_id == dialogue_id, a.reviewer == reviewer)
        .values(place)
    )
    if not changed.rowcount:
        connection.execute(
            sa.insert(assignments).values(
                dialogue_id=dialogue_id, reviewer=reviewer, reasons="", comment="", **place
            )
        )
    change_places(connection, dialogue_id, -1)


def _leave(connection: Connection, reviewer: str, dialogue_id: int, state: str) -> bool:
    a = assignments.c
    left = connection.execute(
        sa.update(assignments)
        .where(a.reviewer == reviewer, a.dialogue_id == dialogue_id, a.state == HELD)
        .values(state=state, until=None)
    )
    if left.rowcount:
        change_places(connection, dialogue_id, +1)
    return bool(left.rowcount)


def change_places(connection: Connection, dialogue_id: int, by: int, votes: int = 0) -> None:
    """Add to a dialogue's free places and to its votes."""
    connection.execute(
        sa.update(items)
        .where(items.c.dialogue_id == dialogue_id)
        .values(places=items.c.places + by, votes=items.c.votes + votes)
    )


def _draw(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
