"""One worker's way through one assignment: the stages, and how each participation ends.

As in collection/events.py the table is the only place that says which step may follow which; the
store refuses any other.
"""

from __future__ import annotations

from typing import Literal

Stage = Literal["consent", "instructions", "check", "waiting", "chatting", "choosing", "done"]

STEPS: frozenset[tuple[Stage, Stage]] = frozenset(
    {
        ("consent", "instructions"),
        ("consent", "done"),  # declined
        ("instructions", "check"),
        ("instructions", "done"),
        ("check", "waiting"),
        ("check", "done"),  # failed
        ("waiting", "chatting"),
        ("waiting", "done"),  # no partner came, or left
        ("chatting", "choosing"),  # the partner is gone for good
        ("chatting", "done"),
        ("choosing", "waiting"),
        ("choosing", "done"),
    }
)

# "complete" and "incomplete" are paid: a partner who left is not the fault of the one who stayed.
Outcome = Literal["complete", "incomplete", "abandoned", "withdrawn", "refused"]
PAID: frozenset[Outcome] = frozenset({"complete", "incomplete"})

# Every way out has its own code and its own sentence; the outcome stands beside it.
ENDINGS: dict[str, tuple[Outcome, str]] = {
    "submitted": ("complete", "Thank you! Your conversation has been submitted."),
    "not-submitted": (
        "complete",
        "The time for the survey is over. Your conversation has been counted, thank you.",
    ),
    "no-partner": (
        "incomplete",
        "We are sorry: no partner came in time. You are paid for your time; please use this code.",
    ),
    "partner-gone": (
        "incomplete",
        "We are sorry that your partner left. You are paid for your time; please use this code.",
    ),
    "drained": (
        "incomplete",
        "The study is closing. You are paid for your time; please use this code.",
    ),
    "photos-done": (
        "incomplete",
        "All photos have been talked about. You are paid for your time; please use this code.",
    ),
    "away-too-long": (
        "abandoned",
        "You were out of touch for longer than the time shown, so the conversation has ended.",
    ),
    "idle": (
        "abandoned",
        "Nothing was written for longer than the time shown, so the conversation has ended.",
    ),
    "time-over": (
        "incomplete",
        "The longest time for a conversation is over. You are paid for your time; please use this "
        "code.",
    ),
    "left": ("withdrawn", "You have left. Thank you for your interest."),
    "left-waiting-room": ("withdrawn", "You left the waiting room before a partner was found."),
    "declined": ("withdrawn", "You chose not to take part. Nothing was stored that you wrote."),
    "check-failed": (
        "refused",
        "The answers to the check were not right, so you cannot take part this time.",
    ),
}

# Why there is nothing to do right now, each reason with its own sentence.
NO_TASK: dict[str, str] = {
    "unknown-campaign": "There is no study under this link. Please check that it is whole.",
    "no-worker": "This link does not say who you are. Please use the link you were sent.",
    "unknown-platform": "This link comes from a platform that this study does not work with.",
    "no-cookies": "Your browser lets pages in a frame keep no cookies, and without one we cannot "
    "know you again. Please allow cookies for this page, or use another browser.",
    "bad-invitation": "This invitation is not valid. Please use the link exactly as you got it.",
    "paused": "The study is paused at the moment. Please come back later with the same link.",
    "draining": "The study is closing and takes nobody in any more. Thank you for your interest.",
    "campaign-complete": "All conversations of this study have been held. Thank you!",
    "all-photos-seen": "You have seen every photo that is left. Thank you for your help!",
    "photos-in-use": "All photos that are left are being talked about. Please come back later.",
    "worker-limit": "You have taken part as often as one person may. Thank you for your help!",
    "check-failed": "The check was not passed, so this study is not open to you.",
    "waiting-room-full": "Very many people are waiting already. Please come back in a while.",
    "session-over": "Your session has ended. Please open your invitation link again.",
}


def ending(reason: str) -> tuple[Outcome, str]:
    """Return the outcome and the worker's sentence for a reason to end."""
    return ENDINGS[reason]
