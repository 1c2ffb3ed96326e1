"""What a campaign will cost: worked out by hand, refused below the floor and above the cap."""

from __future__ import annotations

from decimal import Decimal

import pytest

from collection.campaign import parse_campaign
from collection.money.estimate import Measured, check, dearer_fee, estimate, measure
from collection.money.fees import MTURK
from collection.money.ledger import BudgetError
from collection.money.people import Person
from photochat.errors import DataError

PAY = {
    "reward": "0.50",
    "bonus": {"complete": "2.00", "partner_left": "1.00", "no_partner": "1.00",
              "unfinished": "2.00"},
    "minutes": {"complete": "15"},
    "budget": "10000.00",
}  # fmt: skip


def campaign(**pay):
    return parse_campaign({"pay": PAY | pay})


def person(number: int, kind: str | None, minutes: float) -> Person:
    return Person(number, f"w{number}", "1", kind, "reason", None, 0.0, minutes * 60)


def test_a_hundred_conversations_by_hand():
    """200 complete at 3.00, 50 and 20 at 1.80, 10 at 3.00: with fees of 20%."""
    found = estimate(campaign(), 100, MTURK)
    kinds = {kind.kind: kind for kind in found.kinds}
    assert [kind.people for kind in found.kinds] == [200, 50, 20, 10]
    assert (kinds["complete"].pay, kinds["complete"].fee) == (Decimal("2.50"), Decimal("0.50"))
    assert found.pay == Decimal("630.00")
    assert found.fees == Decimal("126.00")
    assert found.waiting_pay == Decimal("30.00")
    assert found.expected == Decimal("756.00")
    # As many again break off before, in the dearest way: when the photo had been shared.
    assert found.worst == Decimal("1200.00")
    assert (found.workers, found.postings) == (280, 32)
    assert kinds["complete"].hourly == Decimal("10.00")
    # Two minutes of introduction and the ten that the waiting room waits.
    assert (kinds["no_partner"].minutes, kinds["no_partner"].hourly) == (12, Decimal("7.50"))
    check(found)


def test_ten_assignments_in_a_posting_cost_more_and_it_is_said():
    """Only where the campaign file asks for it."""
    assert dearer_fee(MTURK, campaign()) is None
    ten = {"assignments_per_posting": 10, "ten_or_more": True}
    dear = parse_campaign({"pay": PAY, "recruiting": ten})
    assert dearer_fee(MTURK, dear) == Decimal("0.10")
    assert estimate(dear, 100, MTURK).expected == Decimal("756.00") + 280 * Decimal("0.10")


def test_measured_times_and_shares_go_before_assumed_ones():
    """The median of five or more; the shares once twenty have completed."""
    people = [person(n, "complete", 10 + n % 3) for n in range(20)]
    people += [person(50 + n, "no_partner", 11) for n in range(4)]  # too few
    people += [person(60 + n, None, 1) for n in range(9)]
    measured = measure(people)
    assert measured.minutes == {"complete": 11}
    found = estimate(campaign(), 10, MTURK, measured=measured)
    kinds = {kind.kind: kind for kind in found.kinds}
    assert found.people_from == "measured"
    assert [kind.people for kind in found.kinds] == [20, 0, 4, 0]
    assert (kinds["complete"].minutes, kinds["complete"].minutes_from) == (11, "measured")
    assert kinds["no_partner"].minutes_from == "assumed"


@pytest.mark.parametrize(
    ("measured", "key", "line"),
    [
        ({"complete": "30"}, "pay.bonus.complete", r"5\.00 USD an hour.* pay 3\.63 or more"),
        ({"no_partner": "15"}, "pay.bonus.no_partner", r"6\.00 USD an hour.* pay 1\.82 or more"),
    ],
)
def test_below_the_floor_is_refused(measured, key, line):
    """For every way to end, waiting in vain too; the line says how much is needed."""
    times = {kind: Decimal(minutes) for kind, minutes in measured.items()}
    found = estimate(campaign(), 1, MTURK, measured=Measured(times))
    with pytest.raises(DataError, match=line) as error:
        check(found)
    assert error.value.field == key


def test_above_the_cap_is_refused_by_the_worst_case():
    """To the cent, and with what is committed already."""
    check(estimate(campaign(budget="1200.00"), 100, MTURK))
    for budget, already in (("1199.99", "0.00"), ("1200.00", "0.01")):
        found = estimate(campaign(budget=budget), 100, MTURK, committed=Decimal(already))
        with pytest.raises(BudgetError, match=r"at worst 1200\.00"):
            check(found)


def test_the_shortest_time_has_an_hourly_pay():
    """Half of it, for whose partner left, is not rounded to nothing."""
    found = estimate(campaign(minutes={"complete": "0.1"}), 1, MTURK)
    assert {kind.minutes for kind in found.kinds} == {Decimal("0.1"), Decimal("12.0")}


def test_without_any_time_there_is_no_estimate():
    """Nothing is made up: the line names the key to write."""
    with pytest.raises(DataError, match="rehearse") as error:
        estimate(campaign(minutes={}), 1, MTURK)
    assert error.value.field == "pay.minutes.complete"
