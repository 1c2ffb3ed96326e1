"""Who gets what, and when: by the submissions that are there and those that are missing."""

from __future__ import annotations

from decimal import Decimal

import pytest

from collection.database import Database
from collection.money import calls
from collection.money.paying import pay
from collection.money.reconcile import reconcile
from collection.recruiting.recruiter import TryAgainError
from photochat.errors import DataError
from tests.collection.money.scene import Scene

HOUR = 3600.0


@pytest.fixture
def scene(tmp_path):
    """A campaign with one posting of three, published."""
    database = Database(f"sqlite:///{tmp_path}/chat.db")
    database.migrate()
    scene = Scene(database, "photochat")
    scene.intend(scene.publish("chat:1", 3))
    scene.carry_out()
    yield scene
    database.close()


def run(scene: Scene, **options):
    return pay(
        scene.database, scene.recruiter, scene.campaign,
        clock=scene.clock, sleep=scene.clock.sleep, **options,
    )  # fmt: skip


def hand_in(scene: Scene, worker: str, reason: str = "submitted", code: str | None = None) -> str:
    """Somebody accepts, takes part and hands in."""
    assignment = scene.recruiter.accept("1", worker)
    own = scene.person(worker, assignment, reason)
    scene.recruiter.submit(assignment, {"code": code or own})
    return assignment


def approve(scene: Scene) -> None:
    for one in list(scene.recruiter.submissions("1")):
        reward = scene.campaign.pay.reward
        scene.intend(calls.approve(one, reward=reward, assignments=3, fees=scene.fees))
    scene.carry_out()


def check(scene: Scene):
    return reconcile(
        scene.database, scene.recruiter, scene.campaign, clock=scene.clock, sleep=scene.clock.sleep
    )


def test_nothing_is_paid_before_the_approval_and_once_after(scene):
    """Then by how it ended; the third run has nothing to do."""
    hand_in(scene, "anna")
    hand_in(scene, "ben", "partner-gone")
    hand_in(scene, "carla", "no-partner")
    before = run(scene)
    assert (before.intended, before.people["to_review"]) == ((), 3)
    approve(scene)
    after = run(scene)
    assert {line.worker: line.amount for line in after.intended} == {
        "anna": Decimal("1.30"),
        "ben": Decimal("0.55"),
    }
    assert run(scene).intended == ()
    assert scene.received("anna") == Decimal("1.50")
    assert scene.received("carla") == Decimal("0.20")
    assert check(scene).is_clean


def test_a_dry_run_says_it_all_and_does_nothing(scene):
    """Neither in the ledger nor at the platform."""
    hand_in(scene, "anna")
    approve(scene)
    rows = scene.rows()
    shown = run(scene, dry_run=True)
    assert [(line.kind, line.worker, line.amount, line.fee) for line in shown.intended] == [
        ("bonus", "anna", Decimal("1.30"), Decimal("0.26"))
    ]
    assert scene.rows() == rows
    assert list(scene.recruiter.bonuses("1")) == []


def test_a_code_copied_from_another_earns_nothing(scene):
    """And does not take it from whose it is."""
    scene.recruiter.submit(scene.recruiter.accept("1", "thief"), {"code": "ABCD2345"})
    hand_in(scene, "anna", code="ABCD2345")
    approve(scene)
    assert [line.worker for line in run(scene).intended] == ["anna"]


def test_who_has_no_assignment_gets_a_task_of_their_own(scene):
    """Reward and bonus in one, for them alone, told by letter, approved when handed in."""
    assignment = scene.recruiter.accept("1", "anna")
    scene.person("anna", assignment, "submitted")
    scene.recruiter.give_back(assignment)
    assert run(scene, compensate=True).people["may_still_submit"] == 1
    scene.clock.now += 2 * HOUR
    waiting = run(scene)
    assert (waiting.intended, waiting.people["missing"]) == ((), 1)  # only when it is asked for
    assert [(line.worker, line.amount) for line in waiting.missing] == [("anna", Decimal("1.50"))]
    done = run(scene, compensate=True)
    assert [line.kind for line in done.intended] == ["qualify", "publish", "notify"]
    posting = list(scene.recruiter.postings())[-1]
    assert (posting.reward, posting.assignments) == (Decimal("1.50"), 1)
    assert scene.recruiter.letters() == [("anna", "We owe you a payment")]
    with pytest.raises(Exception, match="ben does not meet"):
        scene.recruiter.accept(posting.id, "ben")
    scene.recruiter.submit(scene.recruiter.accept(posting.id, "anna"), {})
    assert [line.kind for line in run(scene).intended] == ["approve"]  # what is begun goes on
    after = run(scene, compensate=True)
    assert (after.intended, after.missing, after.people["compensated"]) == ((), (), 1)
    assert scene.received("anna") == Decimal("1.50")
    assert check(scene).is_clean


def test_a_task_of_ones_own_that_was_not_taken_in_time_is_offered_again(scene):
    """Its money is free for it; whoever takes the second is paid once, and the debt is named until
    then."""
    scene.person("anna", "gone", "submitted")
    scene.clock.now += 2 * HOUR
    run(scene, compensate=True)
    reserved = scene.committed()
    scene.clock.now += 31 * 24 * HOUR
    lapsed = run(scene)
    assert (lapsed.intended, [line.worker for line in lapsed.missing]) == ((), ["anna"])
    again = run(scene, compensate=True)
    assert [line.kind for line in again.intended] == ["publish", "notify"]
    assert (again.missing, again.people["compensating"]) == ((), 1)
    assert scene.committed() == reserved
    posting = list(scene.recruiter.postings())[-1]
    scene.recruiter.submit(scene.recruiter.accept(posting.id, "anna"), {})
    scene.clock.now += 31 * 24 * HOUR
    run(scene, compensate=True)
    assert run(scene, compensate=True).people["compensated"] == 1
    assert scene.received("anna") == Decimal("1.50")
    assert check(scene).is_clean


def test_who_cannot_be_written_to_is_named_until_paid(scene, monkeypatch):
    """With the task that waits for them: somebody has to tell them."""
    scene.person("anna", "gone", "submitted")
    scene.clock.now += 2 * HOUR
    with monkeypatch.context() as patch:
        patch.setattr(scene.recruiter, "notify", lambda workers, **_: tuple(workers))
        told = run(scene, compensate=True).not_told
    posting = list(scene.recruiter.postings())[-1].id
    assert [(line.worker, line.amount, line.why) for line in told] == [
        ("anna", Decimal("1.50"), posting)
    ]
    assert run(scene).not_told == told
    scene.recruiter.submit(scene.recruiter.accept(posting, "anna"), {})
    assert (run(scene).not_told, run(scene).people["compensated"]) == ((), 1)


def test_nobody_is_compensated_while_the_platform_hides_a_posting(scene, monkeypatch):
    """The submission may be there, and paid."""
    hand_in(scene, "anna")
    scene.clock.now += 2 * HOUR
    monkeypatch.setattr(scene.recruiter, "postings", lambda: iter(()))
    result = run(scene, compensate=True)
    assert result.intended == ()
    assert result.not_compensated == "1 postings are no longer listed by the platform"


def test_what_is_over_the_budget_is_named_and_paid_after_it_is_raised(scene):
    """Those whom the budget covers are paid at once."""
    tight = Scene(scene.database, "tight", budget="1.80", books=":memory:")
    tight.intend(tight.publish("chat:1", 1))
    tight.carry_out()
    hand_in(tight, "anna")
    tight.person("ben", "gone", "submitted")
    approve(tight)
    tight.clock.now += 2 * HOUR
    result = run(tight, compensate=True)
    assert [line.kind for line in result.over_budget] == ["publish"]
    assert tight.received("anna") == Decimal("1.50")
    richer = Scene(scene.database, "tight", budget="4.00")
    tight.campaign = richer.campaign
    assert [line.kind for line in run(tight, compensate=True).intended] == ["publish", "notify"]


def test_a_platform_that_does_not_answer_is_one_line(scene):
    """Nothing was begun."""

    def silent(moment, operation):
        raise TryAgainError("throttled")

    scene.recruiter.fault = silent
    with pytest.raises(DataError, match=r"does not answer \(throttled\): run the command again"):
        run(scene)


def test_reconcile_lists_what_only_one_side_knows(scene):
    """A bonus from elsewhere, a missing one, a posting of ours that nobody wrote down, a reward."""
    assignment = hand_in(scene, "anna")
    hand_in(scene, "ben")
    approve(scene)
    run(scene)
    assert check(scene).is_clean
    books = scene.recruiter._books
    scene.recruiter.bonus(
        worker="anna", submission=assignment, amount=Decimal("9.00"), reason="by hand", token="x"
    )
    books.execute("DELETE FROM bonuses WHERE worker = 'ben'")
    books.execute("INSERT INTO bonuses SELECT * FROM bonuses WHERE reason LIKE 'Thank%'")
    token = scene.rows("publish")[0].token
    strange = f"{token[:12]}strange"
    books.execute(
        "INSERT INTO postings (ask, assignments, expires_at) "
        "SELECT replace(ask, ?, ?), assignments, expires_at FROM postings", (token, strange),
    )  # fmt: skip
    books.execute("UPDATE submissions SET state = 'rejected' WHERE worker = 'ben'")
    found = {(one.ledger, one.platform) for one in check(scene).differences}
    assert found == {
        ("unknown", "paid 9.00: by hand"),
        ("paid 1.30", "not listed"),
        ("1.30 once", "1.30 once more"),
        ("unknown", f"published with the token {strange}"),
        ("approved", "rejected"),
    }
