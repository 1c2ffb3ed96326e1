"""What the platform takes, worked out by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collection.mturk_emulator.fees import bonus_fee, from_cents, reward_fee, to_cents

HAND_COMPUTED = [  # reward in cents, assignments, Masters, fee in cents
    (0, 1, False, 1), (0, 10, False, 1), (1, 1, False, 1), (1, 10, False, 1), (2, 9, False, 1),
    (2, 10, False, 1), (3, 10, False, 1), (4, 10, False, 2), (5, 9, False, 1), (5, 10, False, 2),
    (7, 1, False, 1), (8, 1, False, 2), (10, 1, True, 3), (10, 10, True, 5), (12, 1, False, 2),
    (13, 1, False, 3), (100, 9, False, 20), (100, 10, False, 40), (100, 1, True, 25),
    (333, 9, False, 67), (333, 10, False, 133), (333, 1, True, 83), (333, 10, True, 150),
]  # fmt: skip


@pytest.mark.parametrize(("reward", "assignments", "masters", "fee"), HAND_COMPUTED)
def test_the_fee_on_a_reward(reward, assignments, masters, fee):
    assert reward_fee(reward, assignments, masters=masters) == fee


@pytest.mark.parametrize(("bonus", "fee"), [(1, 1), (2, 1), (7, 1), (8, 2), (333, 67), (1000, 200)])
def test_the_fee_on_a_bonus_knows_no_number_of_assignments(bonus, fee):
    assert bonus_fee(bonus) == fee


@given(st.integers(0, 10**9))
def test_amounts_go_to_cents_and_back(cents):
    assert to_cents(from_cents(cents)) == cents


def test_amounts_may_be_written_shortly():
    assert [to_cents(text) for text in ("5", "5.", "5.1", "5.10", "0.05")] == [
        500, 500, 510, 510, 5
    ]  # fmt: skip
