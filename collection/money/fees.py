"""What platforms charge beside what workers get, as pure rules.

MTurk's: https://www.mturk.com/pricing: 20% of reward and bonus; 20% more of the reward where a HIT
has ten or more assignments; 5% more of the reward for Masters; at least one cent for each
assignment and each bonus. Half cents go up. Other platforms differ by country and contract: their
rate stands in the campaign file.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import msgspec

from collection.money.cents import CENT, NOTHING

MANY_ASSIGNMENTS = 10  # from here on MTurk's dearer rate holds for each assignment of a HIT


class Fees(msgspec.Struct, frozen=True):
    """A platform's rates, as shares of what the worker gets, and its least fee."""

    rate: Decimal = Decimal(0)
    many: Decimal = Decimal(0)  # on top, of rewards, from MANY_ASSIGNMENTS on
    masters: Decimal = Decimal(0)  # on top, of rewards
    least: Decimal = NOTHING  # for one assignment or one bonus


MTURK = Fees(Decimal("0.20"), Decimal("0.20"), Decimal("0.05"), CENT)
FREE = Fees()


def assignment_fee(
    fees: Fees, reward: Decimal, assignments: int, *, masters: bool = False
) -> Decimal:
    """Return the fee for one assignment of a posting that has so many in all."""
    rate = fees.rate
    if assignments >= MANY_ASSIGNMENTS:
        rate += fees.many
    if masters:
        rate += fees.masters
    return _fee(fees, reward * rate)


def bonus_fee(fees: Fees, amount: Decimal) -> Decimal:
    """Return the fee for one bonus; no bonus, no fee."""
    return _fee(fees, amount * fees.rate) if amount else NOTHING


def posting_cost(
    fees: Fees, reward: Decimal, assignments: int, *, masters: bool = False
) -> tuple[Decimal, Decimal]:
    """Return what all assignments of a posting cost: (rewards, fees)."""
    fee = assignment_fee(fees, reward, assignments, masters=masters)
    return reward * assignments, fee * assignments


def _fee(fees: Fees, share: Decimal) -> Decimal:
    return max(share.quantize(CENT, ROUND_HALF_UP), fees.least)
