"""What is committed is added up to the cent."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collection.campaign import parse_campaign
from collection.money.pay import Pay, committed
from photochat.errors import DataError

amounts = st.decimals(0, 1000, places=2)
people = st.integers(0, 10_000)


@given(amounts, amounts, people, people, people, people)
def test_the_sum_is_exact(complete, incomplete, done, vain, talking, waiting):
    money = committed(
        Pay("USD", complete, incomplete),
        {"complete": done, "incomplete": vain, "abandoned": 7},
        {"chatting": talking, "waiting": waiting, "done": done + vain + 7},
    )
    assert money.owed == done * complete + vain * incomplete
    assert money.promised == talking * complete + waiting * incomplete
    assert money.committed == money.owed + money.promised


@pytest.mark.parametrize("amount", ["-0.01", "0.005", "NaN", "much", "1e40", "1000.01"])
def test_an_amount_that_cannot_be_paid_is_refused_by_its_key(amount):
    with pytest.raises(DataError) as error:
        parse_campaign({"pay": {"complete": amount}})
    assert error.value.field == "pay.complete"


def test_amounts_are_decimals():
    assert parse_campaign({"pay": {"complete": "1.50"}}).pay.complete == Decimal("1.50")
