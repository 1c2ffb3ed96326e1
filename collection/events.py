"""What happens in a conversation: the events of its log, and the state that they add up to.

`fold` replays events into a state. Which event may happen when, and where it leads, is the table
`TRANSITIONS` and nothing else. No clock and no database in here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any, Literal

import msgspec

Role = Literal["sharer", "receiver"]
Phase = Literal[
    "waiting", "paired", "chatting", "shared", "ended", "submitted", "abandoned", "expired"
]
Kind = Literal[
    "paired", "say", "share", "finish", "submit", "close",
    "away", "back", "gone", "wait", "nudge", "abandon", "expire",
]  # fmt: skip

ROLES: tuple[Role, Role] = ("sharer", "receiver")
LIVE: tuple[Phase, ...] = ("paired", "chatting", "shared", "ended")
TALKING: tuple[Phase, ...] = ("paired", "chatting", "shared")

# What may happen in each phase, and the phase it leads to. Anything absent is against the rules.
TRANSITIONS: dict[tuple[Phase, Kind], Phase] = {
    ("waiting", "paired"): "paired",
    ("paired", "say"): "chatting",
    ("chatting", "say"): "chatting",
    ("chatting", "share"): "shared",
    ("shared", "say"): "shared",
    ("shared", "finish"): "ended",
    ("ended", "submit"): "ended",
    ("ended", "close"): "submitted",
    **{
        (phase, kind): phase
        for phase in TALKING
        for kind in ("away", "back", "gone", "wait", "nudge")
    },
    **{(phase, "abandon"): "abandoned" for phase in TALKING},
    **{(phase, "expire"): "expired" for phase in TALKING},
}


class Event(msgspec.Struct, frozen=True):
    """One line of a conversation's log. `by` is None for what the server does by itself."""

    seq: int
    at: float  # seconds since 1970, UTC
    kind: Kind
    by: Role | None = None
    client_id: str | None = None
    data: dict[str, Any] = {}


class State(msgspec.Struct, frozen=True):
    """A conversation as its events left it. Times are seconds since 1970."""

    phase: Phase = "waiting"
    seq: int = 0
    facts: dict[str, Any] = {}  # the data of the event `paired`: participants, photo, description
    started: float = 0.0
    turns: dict[Role, int] = msgspec.field(default_factory=lambda: dict.fromkeys(ROLES, 0))
    last_text: dict[Role, str] = {}
    last_speaker: Role | None = None
    last_turn_at: float = 0.0
    nudged: frozenset[Role] = frozenset()
    away_until: dict[Role, float] = {}  # only those who are away
    idle_until: float | None = None  # set by a nudge
    gone: frozenset[Role] = frozenset()  # away for longer than the grace window
    choice_until: float | None = None
    ended_at: float | None = None
    submitted: frozenset[Role] = frozenset()
    done: dict[tuple[Role, str], tuple[int, Kind, str]] = {}  # (by, client id): what it was


def other(role: Role) -> Role:
    """Return the partner's role."""
    return "receiver" if role == "sharer" else "sharer"


def pair(facts: dict[str, Any], at: float) -> Event:
    """Return the first event of a conversation."""
    return Event(1, at, "paired", data=facts)


def replay(events: Iterable[Event], state: State | None = None) -> State:
    """Fold events, in order, into a state."""
    state = state or State()
    for event in events:
        state = fold(state, event)
    return state


def fold(state: State, event: Event) -> State:
    """Return the state after one more event.

    Raises:
        ValueError: the event may not happen in this phase, or is not the next: the log is broken.
    """
    phase = TRANSITIONS.get((state.phase, event.kind))
    if phase is None or event.seq != state.seq + 1:
        raise ValueError(f"event {event.seq} {event.kind} in {state.phase} after {state.seq}")
    changes: dict[str, Any] = {"phase": phase, "seq": event.seq}
    by, at = event.by, event.at
    if by is not None and event.client_id is not None:
        told = (event.seq, event.kind, event.data.get("text", ""))
        changes["done"] = {**state.done, (by, event.client_id): told}
    if event.kind == "paired":
        changes |= {"facts": event.data, "started": at, "last_turn_at": at}
    elif event.kind in ("say", "share") and by is not None:
        changes |= {"last_speaker": by, "last_turn_at": at}
        changes |= {"nudged": frozenset(), "idle_until": None}
        if event.kind == "say":
            changes["turns"] = {**state.turns, by: state.turns[by] + 1}
            changes["last_text"] = {**state.last_text, by: same_text_key(event.data["text"])}
    elif event.kind == "finish":
        changes |= {"ended_at": at, "away_until": {}, "gone": frozenset(), "choice_until": None}
    elif event.kind == "submit" and by is not None:
        changes["submitted"] = state.submitted | {by}
    elif event.kind == "nudge" and by is not None:
        changes |= {"nudged": state.nudged | {by}, "idle_until": event.data["until"]}
    elif event.kind == "away" and by is not None:
        changes["away_until"] = {**state.away_until, by: event.data["until"]}
    elif event.kind == "back" and by is not None:
        changes["away_until"] = {r: t for r, t in state.away_until.items() if r != by}
        changes["gone"] = state.gone - {by}
        # Nobody is idle for time spent without a partner.
        changes |= {"last_turn_at": at, "nudged": frozenset(), "idle_until": None}
        if not changes["gone"]:
            changes["choice_until"] = None
    elif event.kind == "gone" and by is not None:
        changes |= {"gone": state.gone | {by}, "choice_until": event.data["choice_until"]}
    elif event.kind == "wait" and by is not None:
        until = event.data["until"]
        changes |= {"gone": frozenset(), "choice_until": None}
        changes["away_until"] = dict.fromkeys(state.away_until, until)
    return msgspec.structs.replace(state, **changes)


def clean(text: str) -> str:
    """Return a message as it is stored: NFC, no control or format marks at its ends or inside.

    Line breaks and what joins emoji or scripts (U+200C, U+200D) stay.
    """
    text = unicodedata.normalize("NFC", text.expandtabs(1))
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = [c for c in text if c in "\n\u200c\u200d" or unicodedata.category(c) not in _NOT_TEXT]
    return "".join(kept).strip(" \n\u200c\u200d\u00a0\u3000")


_NOT_TEXT = frozenset({"Cc", "Cf", "Cs"})  # control, format, half of a surrogate pair


def same_text_key(text: str) -> str:
    """Return what two messages share that a reader would call the same."""
    return " ".join(text.casefold().split())
