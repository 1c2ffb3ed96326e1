"""What is promised is added up to the cent, and only amounts that can be paid are taken."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collection.campaign import parse_campaign
from collection.money.cents import from_cents, to_cents
from collection.money.pay import PAID_KINDS, Bonus, Pay, committed, paid_kind
from collection.participation import ENDINGS, PAID
from photochat.errors import DataError

amounts = st.decimals(0, 1000, places=2)
people = st.integers(0, 10_000)
kinds = st.dictionaries(st.sampled_from(PAID_KINDS), people)


@given(amounts, st.tuples(*[amounts] * 4), kinds, people, people)
def test_the_sum_is_exact(reward, bonuses, counts, talking, waiting):
    """Everybody paid gets the reward and the bonus of their kind, to the cent."""
    pay = Pay(reward=reward, bonus=Bonus(*bonuses))
    money = committed(pay, counts, {"chatting": talking, "waiting": waiting, "done": 5})
    cents = dict(zip(PAID_KINDS, map(to_cents, bonuses), strict=True))
    owed = sum(count * (to_cents(reward) + cents[kind]) for kind, count in counts.items())
    assert to_cents(money.owed) == owed
    promised = talking * (reward + bonuses[0]) + waiting * (reward + bonuses[2])
    assert money.promised == promised
    assert money.committed == money.owed + money.promised


@pytest.mark.parametrize("amount", ["-0.01", "0.005", "NaN", "1e40", "1000.01", "Infinity"])
@pytest.mark.parametrize("key", ["pay.reward", "pay.bonus.no_partner"])
def test_an_amount_that_cannot_be_paid_is_refused_by_its_key(amount, key):
    """The error names the key as the file spells it."""
    section = {"reward": amount} if key == "pay.reward" else {"bonus": {"no_partner": amount}}
    with pytest.raises(DataError) as error:
        parse_campaign({"pay": section})
    assert error.value.field == key


@pytest.mark.parametrize("minutes", ["0", "1e-27", "0.09", "1440.1", "NaN"])
def test_minutes_that_nobody_takes_are_refused_by_their_key(minutes):
    """An hour's pay is worked out by them."""
    with pytest.raises(DataError, match=r"from 0\.1 to 1440") as error:
        parse_campaign({"pay": {"minutes": {"complete": minutes}}})
    assert error.value.field == "pay.minutes.complete"


@given(st.floats())
def test_no_binary_fraction_is_taken_for_an_amount(number):
    """Not from the campaign file, not on the way to the database, not back."""
    with pytest.raises(DataError, match="as text") as error:
        parse_campaign({"pay": {"bonus": {"complete": number}}})
    assert error.value.field == "pay.bonus.complete"
    with pytest.raises(TypeError):
        to_cents(number)
    with pytest.raises(TypeError):
        from_cents(number)


@given(st.integers(-(10**15), 10**15))
def test_cents_come_back_as_they_were(cents):
    """Integers in the database, decimals with two places in the program."""
    amount = from_cents(cents)
    assert isinstance(amount, Decimal)
    assert amount.as_tuple().exponent == -2
    assert to_cents(amount) == cents


@pytest.mark.parametrize("amount", ["0.001", "NaN", "Infinity"])
def test_what_is_not_whole_cents_never_reaches_the_database(amount):
    """No rounding behind anybody's back."""
    with pytest.raises(ValueError, match="cents"):
        to_cents(Decimal(amount))


@given(st.sampled_from(sorted(ENDINGS)), st.booleans(), st.booleans())
def test_every_paid_ending_has_a_kind_and_no_other(reason, talked, shared):
    """A new ending cannot be forgotten: `PAID` decides."""
    kind = paid_kind(reason, talked=talked, shared=shared)
    assert (kind is not None) == (ENDINGS[reason][0] in PAID)


@pytest.mark.parametrize(
    ("reason", "talked", "shared", "kind"),
    [
        ("submitted", False, False, "complete"),
        ("submitted", True, True, "complete"),  # the second conversation was
        ("not-submitted", False, False, "complete"),
        ("no-partner", False, False, "no_partner"),
        ("no-partner", True, False, "partner_left"),  # one had left, then nobody came
        ("no-partner", True, True, "unfinished"),
        ("partner-gone", True, False, "partner_left"),
        ("partner-gone", True, True, "unfinished"),
        ("drained", False, False, "no_partner"),
        ("photos-done", True, False, "partner_left"),
        ("time-over", True, False, "unfinished"),
        ("away-too-long", True, True, None),
        ("left", True, True, None),
    ],
)
def test_the_kind_follows_from_what_the_worker_went_through(reason, talked, shared, kind):
    """The reason of the end, and what had happened before."""
    assert paid_kind(reason, talked=talked, shared=shared) == kind
