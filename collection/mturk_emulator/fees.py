"""What the platform takes, in whole cents.

20% of rewards and bonuses, 20% more of the reward from ten assignments on a HIT, 5% more for
Masters, half-cents up, at least one cent each time (https://www.mturk.com/pricing). Written down a
second time on purpose: a rehearsal compares a campaign's own sums with these.
"""

from __future__ import annotations

PERCENT = 20
MANY_ASSIGNMENTS = 10
MANY_PERCENT = 20
MASTERS_PERCENT = 5
MIN_FEE = 1  # cents


def reward_fee(reward: int, assignments: int, *, masters: bool = False) -> int:
    """Return the fee on one assignment's reward, in cents, for a HIT with so many assignments.

    >>> [reward_fee(5, 9), reward_fee(5, 10), reward_fee(0, 1), reward_fee(333, 1)]
    [1, 2, 1, 67]
    """
    percent = PERCENT
    if assignments >= MANY_ASSIGNMENTS:
        percent += MANY_PERCENT
    if masters:
        percent += MASTERS_PERCENT
    return _share(reward, percent)


def bonus_fee(amount: int) -> int:
    """Return the fee on a bonus, in cents."""
    return _share(amount, PERCENT)


def to_cents(amount: str) -> int:
    """Return a currency amount of the wire ("5", "5.", "5.1", "5.10") in cents."""
    whole, _, part = amount.partition(".")
    return int(whole) * 100 + int(part.ljust(2, "0") or 0)


def from_cents(cents: int) -> str:
    """Return cents as a currency amount of the wire, always with two digits."""
    return f"{cents // 100}.{cents % 100:02d}"


def _share(cents: int, percent: int) -> int:
    return max(MIN_FEE, (cents * percent + 50) // 100)
