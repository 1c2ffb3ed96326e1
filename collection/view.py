"""What a participant is told: a log's events and the state of things, from where they stand.

The receiver learns nothing of the photo before it is shared, here and nowhere else decided.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy.engine import Row

from collection.campaign import Campaign
from collection.conversation import complete
from collection.events import TALKING, Event, Role, State, other
from collection.journal import Log
from collection.participation import PAID, ending
from collection.recruiting.leaving import WayOut

PhotoUrl = Callable[[], str]


def may_see_photo(state: State, role: Role) -> bool:
    """Say whether a role may see the photo: the sharer always, the receiver once it is shared."""
    return role == "sharer" or state.phase in ("shared", "ended", "submitted")


def event_view(event: Event, role: Role, state: State, photo_url: PhotoUrl) -> dict[str, Any]:
    """Return an event as it is sent to one side; `by` is "you", "partner" or None (the server)."""
    by = None if event.by is None else "you" if event.by == role else "partner"
    view: dict[str, Any] = {"seq": event.seq, "kind": event.kind, "by": by, "at": event.at}
    if event.kind == "paired":
        view["role"] = role
    elif event.kind == "share":
        view["photo"] = _photo(state, photo_url)
    elif event.kind == "submit":
        pass  # the answers are for the requester alone
    else:
        view |= {name: value for name, value in event.data.items() if name != "pasted"}
    if event.client_id is not None and by == "you":
        view["client_id"] = event.client_id
    return view


def conversation_view(
    campaign: Campaign, conversation: int, log: Log, role: Role, now: float, photo_url: PhotoUrl
) -> dict[str, Any]:
    """Return the state of a conversation for one side."""
    state, rules = log.state, campaign.rules
    partner = other(role)
    view: dict[str, Any] = {
        "kind": "talking" if state.phase in TALKING else state.phase,
        "conversation": conversation,
        "phase": state.phase,
        "role": role,
        "now": now,
        "seq": state.seq,
        "turns": sum(state.turns.values()),
        "min_turns_before_share": rules.min_turns_before_share,
        "min_turns_each": rules.min_turns_each,
        "max_message_chars": rules.max_message_chars,
        "photo": _photo(state, photo_url) if may_see_photo(state, role) else None,
        "partner": {
            "away_until": state.away_until.get(partner),
            "gone": partner in state.gone,
        },
        "choice_until": state.choice_until,
        "submitted": {"you": role in state.submitted, "partner": partner in state.submitted},
        "complete": complete(state),
    }
    if state.phase == "ended" and state.ended_at is not None:
        view["until"] = state.ended_at + campaign.timeouts.submit
    return view


def waiting_view(
    row: Row[Any], now: float, place: int, waiting: int, expected: float | None, blocked: str | None
) -> dict[str, Any]:
    """Return the state of one in the waiting room; `place` counts from 1, `expected` in seconds."""
    return {
        "kind": "waiting",
        "now": now,
        "position": place,
        "waiting": waiting,
        "expected": expected,
        "since": row.waiting_since,
        "until": row.deadline,
        "reason": blocked,
    }


def choosing_view(row: Row[Any], now: float) -> dict[str, Any]:
    """Return the state of one whose partner is gone for good: another partner, or leave, paid."""
    return {"kind": "choosing", "now": now, "until": row.deadline, "choices": ["again", "leave"]}


def done_view(row: Row[Any], now: float, way_out: WayOut) -> dict[str, Any]:
    """Return the state of one who is through, with the code and how to hand it in."""
    _, message = ending(row.reason)
    return {
        "kind": "done",
        "now": now,
        "outcome": row.outcome,
        "reason": row.reason,
        "paid": row.outcome in PAID,
        "code": row.code,
        "message": message,
        "advice": way_out.advice,
        "hand_in": msgspec.to_builtins(way_out.hand_in),
    }


def _photo(state: State, photo_url: PhotoUrl) -> dict[str, str]:
    return {"url": photo_url(), "description": state.facts["description"]}
