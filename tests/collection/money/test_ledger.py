"""What is intended is written down once, within the budget, whoever intends it."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal

import pytest

from collection.money import calls, ledger
from collection.money.ledger import BudgetError
from collection.recruiting.recruiter import Submission
from tests.collection.money.scene import Scene


@pytest.fixture
def scene(database):
    return Scene(database, "photochat")


def test_intending_twice_is_one_row_with_one_token(scene):
    """In one transaction, in two, and with another amount: the first stands."""
    first, again = scene.intend(scene.publish("1", 2), scene.publish("1", 2))
    [later] = scene.intend(scene.publish("1", 9))
    assert first == again == later
    [row] = scene.rows()
    assert (row.units, row.state) == (2, "intended")
    assert row.token == ledger.token_of("photochat", "publish", "1")
    assert len(row.token) <= 64


def test_tokens_differ_by_campaign_kind_and_key():
    """And stay the same in every run, as this one was in another."""
    tokens = {
        ledger.token_of(campaign, kind, key)
        for campaign in ("a", "ab")
        for kind in ("bonus", "publish")
        for key in ("1", "b1")
    }
    assert len(tokens) == 8
    assert ledger.token_of("a", "bonus", "w:1") == "pc-ca978112-09424b49dd3602216cc533ca533012b3"


def test_a_posting_reserves_its_rewards_fees_and_the_dearest_bonus(scene):
    """0.20 + 0.04 and 1.30 + 0.26 for each of two."""
    scene.intend(scene.publish("1", 2))
    assert scene.committed() == Decimal("3.60")


def test_what_is_over_the_budget_is_refused_and_nothing_written(database):
    """The one line says how much, of what, and what to do; the rest of the transaction stands."""
    scene = Scene(database, "small", budget="3.00")
    with database.writing.begin() as connection:
        ledger.intend(connection, scene.campaign, scene.publish("1", 1))
        with pytest.raises(BudgetError, match=r"1\.80 more .* 1\.80 of 3\.00 USD") as error:
            ledger.intend(connection, scene.campaign, scene.publish("2", 1))
    assert error.value.field == "pay.budget"
    assert [row.key for row in scene.rows()] == ["1"]


def test_a_bonus_redeems_the_promise_made_when_publishing(database):
    """So whoever was let in can be paid: the budget had room for the dearest bonus of each."""
    scene = Scene(database, "tight", budget="3.60")
    scene.intend(scene.publish("1", 2))
    scene.carry_out()
    for worker in ("anna", "ben"):
        taken = scene.recruiter.accept("1", worker)
        scene.recruiter.submit(taken, {})
    for one in list(scene.recruiter.submissions("1")):
        bonus = calls.bonus(one.id, one, Decimal("1.30"), scene.fees, participant=1, reason="")
        scene.intend(bonus)
    assert scene.committed() == Decimal("3.60")


def test_what_nobody_handed_in_is_given_back(scene):
    """Once the posting is closed; extended, it is reserved again."""
    scene.intend(scene.publish("1", 3))
    scene.carry_out()
    with scene.database.writing.begin() as connection:
        stale = {"of_units": 2, "spare": 2, "settled": 0}
        assert not ledger.settle(connection, scene.campaign, "1", **stale)
        seen = {"of_units": 3, "spare": 2, "settled": 1}
        assert ledger.settle(connection, scene.campaign, "1", **seen)
    assert scene.committed() == Decimal("0.24")
    amount, fee, promise = scene.rows("publish")[0].unit
    costs = {"unit_amount": amount, "unit_fee": fee, "unit_promise": promise}
    scene.intend(calls.extend("1", "1", assignments=1, seconds=0, **costs))
    assert scene.committed() == 4 * Decimal("1.80")


def test_what_was_given_back_too_early_is_held_again_as_far_as_the_budget_goes(database):
    """The ledger does not go over the budget by finding that a unit is handed in nevertheless."""
    scene = Scene(database, "tight", budget="4.60")
    scene.intend(scene.publish("1", 2))
    scene.carry_out()

    def settle(spare: int) -> Decimal:
        with database.writing.begin() as connection:
            seen = {"of_units": 2, "spare": spare, "settled": 0}
            assert ledger.settle(connection, scene.campaign, "1", **seen)
        return scene.committed()

    assert settle(spare=1) == Decimal("1.80")
    scene.intend(scene.publish("2", 1))
    assert settle(spare=0) == Decimal("4.60")


def test_who_is_approved_beyond_the_units_costs_what_a_unit_costs(database):
    """By whatever way they came; the same submission twice is one, and a bonus redeems it."""
    scene = Scene(database, "open", budget="5.40")
    scene.intend(scene.publish("1", 1))
    scene.carry_out()
    three = [Submission(w, "1", w, "submitted", 0.0, {}) for w in ("anna", "ben", "carla")]
    reward, fees = scene.campaign.pay.reward, scene.fees
    for one in three:
        scene.intend(calls.approve(one, reward=reward, assignments=1, fees=fees))
    scene.intend(calls.accept(three[0], "override", amount=reward, fee=Decimal("0.30")))
    assert scene.committed() == Decimal("5.40")
    for one in three:
        scene.intend(calls.bonus(one.id, one, Decimal("1.30"), fees, participant=1, reason=""))
    assert scene.committed() == Decimal("5.40")
    fourth = Submission("dora", "1", "dora", "submitted", 0.0, {})
    with pytest.raises(BudgetError):
        scene.intend(calls.approve(fourth, reward=reward, assignments=1, fees=fees))


def test_a_call_that_failed_for_good_costs_nothing_until_it_is_tried_again(scene):
    """And then the budget has to cover it."""
    ghost = Submission("99", "98", "anna", "approved", 0.0, {})
    scene.intend(calls.bonus("1", ghost, Decimal("50.00"), scene.fees, participant=1, reason=""))
    assert scene.committed() == Decimal("60.00")
    scene.carry_out(patience=0)
    scene.clock.now += 25 * 3600
    result = scene.carry_out()
    assert (result.failed, result.left) == (1, 0)
    assert scene.committed() == 0
    scene.intend(scene.publish("1", 30))
    with scene.database.writing.begin() as connection, pytest.raises(BudgetError):
        ledger.retry_failed(connection, scene.campaign)
    assert scene.rows("bonus")[0].state == "failed-final"


def test_a_decision_that_failed_gives_way_to_the_same_one_made_anew(scene):
    """Its row stays, under a key and a token of its own; others are as they were."""
    ghosts = [Submission(str(n), "98", "anna", "submitted", 0.0, {}) for n in range(2)]
    first = scene.intend(*(calls.reject(one, reason="first") for one in ghosts))
    scene.carry_out(patience=0)
    scene.clock.now += 25 * 3600
    assert scene.carry_out().failed == 2
    with scene.database.writing.begin() as connection:
        ledger.withdraw(connection, scene.campaign, ("reject",), ["0"], now=scene.clock())
    again = scene.intend(*(calls.reject(one, reason="again") for one in ghosts))
    assert (again[0] in first, again[1] == first[1]) == (False, True)
    states = [(row.reason, row.state) for row in scene.rows("reject")]
    assert states == [("first", "withdrawn"), ("first", "failed-final"), ("again", "intended")]


SPEND = """
import sys
from tests.collection.money.scene import Scene
from collection.database import Database
from collection.money.ledger import BudgetError
scene = Scene(Database(sys.argv[1]), "shared", budget="9.00")
print("ready", flush=True)
sys.stdin.readline()
for number in range(12):
    try:
        scene.intend(scene.publish(f"{sys.argv[2]}:{number}", 1))
    except BudgetError:
        print("refused", flush=True)
"""


def test_processes_at_once_do_not_overdraw(database, db_url):
    """Two processes want 24 postings of 1.80; the budget of 9.00 covers five."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", SPEND, db_url, str(number)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for number in range(2)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    refused = sum(process.communicate(timeout=60)[0].count("refused") for process in processes)
    scene = Scene(database, "shared")
    assert (len(scene.rows()), refused) == (5, 19)
    assert scene.committed() == Decimal("9.00")
