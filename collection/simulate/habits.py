"""What befalls a bot: the troubles that workers have with their networks, and with themselves."""

from __future__ import annotations

import random
from typing import Literal, NamedTuple, get_args

Habit = Literal["plain", "pauses", "drops", "reloads", "tabs", "silent", "leaves", "rude"]
HABITS: tuple[Habit, ...] = get_args(Habit)
_TROUBLES: tuple[Habit, ...] = ("pauses", "drops", "reloads", "tabs")
_SPOILERS: tuple[Habit, ...] = ("silent", "leaves")


class Shares(NamedTuple):
    """Which shares of the bots have troubles (0 to 1), and which spoil their conversation."""

    troubled: float = 0.4  # pauses, drops, reloads and double tabs in equal parts
    spoiling: float = 0.05  # silent ones and leavers in equal parts
    rude: float = 0.0  # swear, or give their address or number away


def draw_habit(draw: random.Random, shares: Shares) -> Habit:
    """Draw one bot's habit."""
    place = draw.random()
    if place < shares.spoiling:
        return draw.choice(_SPOILERS)
    if place < shares.spoiling + shares.troubled:
        return draw.choice(_TROUBLES)
    if place < shares.spoiling + shares.troubled + shares.rude:
        return "rude"
    return "plain"
