"""What a campaign has promised its workers: amounts by outcome, and the sum so far.

Amounts are decimals with two places, never binary fractions. Paying itself is not done here.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated

import msgspec

CENT = Decimal("0.01")
MOST = Decimal(1000)  # for one participation: more is a slip of the pen
_TALKING = ("chatting", "choosing")


class Pay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Pay for one participation, by outcome; written as text in the campaign file: "1.50"."""

    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$")] = "USD"
    complete: Decimal = Decimal("0.00")
    incomplete: Decimal = Decimal("0.00")


class Money(msgspec.Struct, frozen=True):
    """What is committed: `owed` to those who have ended, `promised` to those still there."""

    currency: str
    owed: Decimal
    promised: Decimal
    committed: Decimal


def committed(pay: Pay, outcomes: Mapping[str, int], stages: Mapping[str, int]) -> Money:
    """Add up a campaign's pay from people by outcome and by stage.

    Whoever is in a conversation counts as one who completes it, whoever waits as one who waits in
    vain: the most that can come of those who are there now without anybody new.
    """
    owed = (
        outcomes.get("complete", 0) * pay.complete + outcomes.get("incomplete", 0) * pay.incomplete
    )
    talking = sum(stages.get(stage, 0) for stage in _TALKING)
    promised = talking * pay.complete + stages.get("waiting", 0) * pay.incomplete
    return Money(pay.currency, owed, promised, owed + promised)


def problem_of(amount: Decimal) -> str | None:
    """Say what is wrong with an amount; None when it is whole cents and not negative."""
    if not amount.is_finite() or not 0 <= amount <= MOST:
        return f"must be an amount of 0 to {MOST}"
    return None if amount == amount.quantize(CENT) else "must be whole cents"
