"""Amounts of money: decimals with two places in the program, whole cents in the database.

No binary fraction gets in: a float is refused where an amount is expected.
"""

from __future__ import annotations

from decimal import Decimal

CENT = Decimal("0.01")
NOTHING = Decimal("0.00")
MOST = Decimal(1000)  # for one person's one participation: more is a slip of the pen


def to_cents(amount: Decimal) -> int:
    """Return an amount as whole cents.

    Raises:
        TypeError: it is no Decimal.
        ValueError: it is not whole cents, or not finite.
    """
    if not isinstance(amount, Decimal):
        raise TypeError(f"an amount is a Decimal, not {amount!r}")
    if not amount.is_finite() or amount != amount.quantize(CENT):
        raise ValueError(f"not whole cents: {amount}")
    return int(amount.scaleb(2))


def from_cents(cents: int) -> Decimal:
    """Return whole cents as an amount with two places."""
    if not isinstance(cents, int):
        raise TypeError(f"cents are whole, not {cents!r}")
    return Decimal(cents).scaleb(-2).quantize(CENT)


def problem_of(amount: Decimal, most: Decimal = MOST) -> str | None:
    """Say what is wrong with an amount; None when it is whole cents and not negative."""
    if not amount.is_finite() or not 0 <= amount <= most:
        return f"must be an amount of 0 to {most}"
    return None if amount == amount.quantize(CENT) else "must be whole cents"
