"""What a conversation's turning points mean for its two participants and its photo."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from collection.campaign import Campaign
from collection.events import ROLES, Event, Role, State, other
from collection.participation import PAID, STEPS, Stage, ending
from collection.tables import conversations, participants, photos

_CODE_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # without those that are read as one another
_CAUSES = {"gone": "away-too-long", "idle": "idle", "left": "left"}
_EXPIRED = {"both-gone": "away-too-long", "idle": "idle", "time": "time-over"}


def settle(
    connection: Connection,
    campaign: Campaign,
    conversation: int,
    state: State,
    new: Sequence[Event],
) -> None:
    """Carry out what the new events of a conversation mean outside of it."""
    for event in new:
        if event.kind == "finish":
            _return_photo(connection, campaign.name, conversation, completed=True)
        elif event.kind == "submit" and event.by is not None:
            finish(connection, _who(state, event.by), "submitted", event.at)
        elif event.kind == "close":
            for role in ROLES:
                finish(connection, _who(state, role), "not-submitted", event.at)
        elif event.kind == "abandon" and event.by is not None:
            _return_photo(connection, campaign.name, conversation, completed=False)
            finish(connection, _who(state, event.by), _CAUSES[event.data["cause"]], event.at)
            move(
                connection,
                _who(state, other(event.by)),
                "choosing",
                deadline=event.at + campaign.timeouts.choice,
            )
        elif event.kind == "expire":
            _return_photo(connection, campaign.name, conversation, completed=False)
            for role in ROLES:
                finish(connection, _who(state, role), _EXPIRED[event.data["cause"]], event.at)


def move(connection: Connection, participant: int, to: Stage, **values: Any) -> bool:
    """Move a participant to a stage if the table of steps allows; say whether it did.

    A compare-and-set: of two that try at once, one is told False.
    """
    sources = [source for source, target in STEPS if target == to]
    moved = connection.execute(
        sa.update(participants)
        .where(participants.c.id == participant, participants.c.stage.in_(sources))
        .values(stage=to, **values)
    )
    return moved.rowcount == 1


def finish(connection: Connection, participant: int, reason: str, at: float) -> bool:
    """End a participation for a reason of `ENDINGS`; those that are paid get a code."""
    outcome, _ = ending(reason)
    code = new_code() if outcome in PAID else None
    return move(
        connection,
        participant,
        "done",
        outcome=outcome,
        reason=reason,
        code=code,
        finished_at=at,
        deadline=None,
    )


def new_code() -> str:
    """Return a completion code that nobody guesses and everybody can type: 8 letters, 40 bits."""
    return "".join(secrets.choice(_CODE_LETTERS) for _ in range(8))


def _who(state: State, role: Role) -> int:
    return int(state.facts[role])


def _return_photo(
    connection: Connection, campaign: str, conversation: int, *, completed: bool
) -> None:
    photo = sa.select(conversations.c.photo_id).where(conversations.c.id == conversation)
    connection.execute(
        sa.update(photos)
        .where(photos.c.campaign == campaign, photos.c.photo_id == photo.scalar_subquery())
        .values(
            leased=photos.c.leased - 1,
            completed=photos.c.completed + (1 if completed else 0),
        )
    )
