"""The audit trail: every thing that was given, voted, changed, undone or skipped, in order."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from verification.review.tables import trail


class Entry(msgspec.Struct, frozen=True):
    """One thing that happened. `at` is Unix time; `dialogue_id` is None where none is meant."""

    at: float
    reviewer: str
    dialogue_id: int | None
    kind: str
    detail: dict[str, Any]


def note(
    connection: Connection,
    at: float,
    reviewer: str,
    dialogue_id: int | None,
    kind: str,
    **detail: Any,
) -> None:
    """Add an entry, in the transaction that does what it says."""
    connection.execute(
        sa.insert(trail).values(
            at=at,
            reviewer=reviewer,
            dialogue_id=dialogue_id,
            kind=kind,
            detail=msgspec.json.encode(detail).decode(),
        )
    )


def entries(connection: Connection) -> list[Entry]:
    """Return the whole trail, oldest first."""
    return [
        Entry(row.at, row.reviewer, row.dialogue_id, row.kind, msgspec.json.decode(row.detail))
        for row in connection.execute(sa.select(trail).order_by(trail.c.id))
    ]
