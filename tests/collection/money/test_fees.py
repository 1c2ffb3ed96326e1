"""Fees to the cent: every amount in here was worked out by hand from the rules of MTurk's price
list (20% of reward and bonus, 40% of the reward from ten assignments on, 5% for Masters, one cent
at least, half cents up)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collection.money.fees import FREE, MTURK, Fees, assignment_fee, bonus_fee, posting_cost

ASSIGNMENTS = [
    # reward, assignments, Masters, fee of one assignment
    ("0.00", 1, False, "0.01"),
    ("0.00", 9, False, "0.01"),
    ("0.00", 10, False, "0.01"),
    ("0.00", 10, True, "0.01"),
    ("0.01", 1, False, "0.01"),  # 0.2 cents
    ("0.01", 9, False, "0.01"),
    ("0.01", 10, False, "0.01"),  # 0.4 cents
    ("0.01", 1, True, "0.01"),
    ("0.02", 1, False, "0.01"),  # 0.4 cents
    ("0.02", 9, False, "0.01"),
    ("0.02", 10, False, "0.01"),  # 0.8 cents
    ("0.02", 1, True, "0.01"),  # half a cent
    ("0.02", 10, True, "0.01"),  # 0.9 cents
    ("0.03", 10, False, "0.01"),  # 1.2 cents
    ("0.03", 10, True, "0.01"),  # 1.35 cents
    ("0.04", 10, False, "0.02"),  # 1.6 cents
    ("0.05", 1, False, "0.01"),
    ("0.05", 9, False, "0.01"),
    ("0.05", 10, False, "0.02"),
    ("0.05", 1, True, "0.01"),  # 1.25 cents
    ("0.05", 10, True, "0.02"),  # 2.25 cents
    ("0.06", 1, False, "0.01"),  # 1.2 cents
    ("0.06", 1, True, "0.02"),  # 1.5 cents
    ("0.07", 1, False, "0.01"),  # 1.4 cents
    ("0.08", 1, False, "0.02"),  # 1.6 cents
    ("0.10", 1, True, "0.03"),  # 2.5 cents
    ("0.10", 10, True, "0.05"),  # 4.5 cents
    ("0.14", 1, True, "0.04"),  # 3.5 cents
    ("0.30", 10, True, "0.14"),  # 13.5 cents
    ("1.00", 1, False, "0.20"),
    ("1.00", 10, False, "0.40"),
    ("1.00", 1, True, "0.25"),
    ("1.00", 100, True, "0.45"),
    ("3.33", 1, False, "0.67"),  # 66.6 cents
    ("3.33", 9, False, "0.67"),
    ("3.33", 10, False, "1.33"),  # 133.2 cents
    ("3.33", 1, True, "0.83"),  # 83.25 cents
    ("3.33", 10, True, "1.50"),  # 149.85 cents
    ("12.34", 9, False, "2.47"),  # 246.8 cents
]
BONUSES = [
    ("0.00", "0.00"),  # there is none, so there is no fee
    ("0.01", "0.01"),
    ("0.02", "0.01"),
    ("0.05", "0.01"),
    ("0.07", "0.01"),  # 1.4 cents
    ("0.08", "0.02"),  # 1.6 cents
    ("0.13", "0.03"),  # 2.6 cents
    ("1.30", "0.26"),
    ("3.33", "0.67"),
    ("99.99", "20.00"),  # 1,999.8 cents
]
POSTINGS = [
    # reward, assignments, Masters, all rewards, all fees
    ("0.00", 9, False, "0.00", "0.09"),
    ("0.01", 9, False, "0.09", "0.09"),
    ("0.02", 10, True, "0.20", "0.10"),
    ("0.05", 9, False, "0.45", "0.09"),
    ("0.05", 10, False, "0.50", "0.20"),  # one assignment more, and the fees double
    ("3.33", 9, False, "29.97", "6.03"),  # each assignment's fee is rounded, not their sum
    ("3.33", 10, False, "33.30", "13.30"),
]


@pytest.mark.parametrize(("reward", "assignments", "masters", "fee"), ASSIGNMENTS)
def test_the_fee_of_an_assignment(reward, assignments, masters, fee):
    """By the price list."""
    assert str(assignment_fee(MTURK, Decimal(reward), assignments, masters=masters)) == fee


@pytest.mark.parametrize(("amount", "fee"), BONUSES)
def test_the_fee_of_a_bonus(amount, fee):
    """Neither the number of assignments nor Masters matters."""
    assert str(bonus_fee(MTURK, Decimal(amount))) == fee


@pytest.mark.parametrize(("reward", "assignments", "masters", "rewards", "fees"), POSTINGS)
def test_the_cost_of_a_posting(reward, assignments, masters, rewards, fees):
    """The sum over its assignments."""
    cost = posting_cost(MTURK, Decimal(reward), assignments, masters=masters)
    assert tuple(map(str, cost)) == (rewards, fees)


@given(st.integers(0, 100_000), st.integers(1, 9))
def test_ten_assignments_never_cost_less(cents, few):
    """Cutting postings below ten saves fees, or costs the same."""
    reward = Decimal(cents) / 100
    assert assignment_fee(MTURK, reward, few) <= assignment_fee(MTURK, reward, 10)


@given(st.integers(0, 100_000), st.integers(1, 30))
def test_without_a_platform_there_is_no_fee(cents, assignments):
    """Links cost nothing; another contract's rate is taken as written, without a least fee."""
    amount = Decimal(cents) / 100
    assert assignment_fee(FREE, amount, assignments) == bonus_fee(FREE, amount) == 0
    third = Fees(Decimal("0.333"))
    assert abs(assignment_fee(third, amount, assignments) - amount / 3) <= Decimal("0.35")
