"""A thousand campaigns in which processes die, answers get lost and time runs away: each worker
gets what the campaign file promises, once, and the ledger is the platform's books."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from collection.database import Database
from collection.money import calls
from collection.money.fees import assignment_fee
from collection.money.paying import pay
from collection.recruiting.recruiter import RecruiterError
from tests.collection.money.scene import Scene

SCHEDULES, PARTS = 1000, 4
REASONS = ["submitted", "submitted", "submitted", "partner-gone", "no-partner", "left"]
BONUS = {"submitted": Decimal("1.30"), "partner-gone": Decimal("0.55"), "no-partner": Decimal(0)}


@pytest.fixture(scope="module")
def shared_database(tmp_path_factory):
    """One database for all campaigns of this file, in memory where the system has such a folder."""
    fast = Path("/dev/shm")
    folder = tmp_path_factory.mktemp("ledger")
    file = fast / f"{folder.parent.name}-{folder.name}.db" if fast.is_dir() else folder / "a.db"
    database = Database(f"sqlite:///{file}")
    database.migrate()
    yield database
    database.close()
    for left in file.parent.glob(f"{file.name}*"):
        left.unlink()


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_nobody_is_paid_twice_and_nobody_forgotten(shared_database, part):
    """Whatever the schedule; the number in the message is its seed."""
    seen: set[str] = set()
    for seed in range(part, SCHEDULES, PARTS):
        try:
            seen |= schedule(shared_database, seed)
        except Exception as error:
            raise AssertionError(f"schedule {seed}") from error
    # The schedules do reach the places that matter.
    for operation in ("publish", "approve", "bonus", "qualify", "notify", "expire"):
        for what in ("kill after", "kill before", "no answer after", "no answer before"):
            assert f"{what} {operation}" in seen


def schedule(database: Database, seed: int) -> set[str]:
    scene = Scene(database, f"c{seed}", seed=seed, troubles=seed % 12)
    draw, recruiter = scene.draw, scene.recruiter
    scene.trouble.beside = scene.carry_out
    size = draw.choice([1, 2, 2, 3])

    def launch():
        scene.intend(scene.publish("chat:1", size))
        scene.carry_out()

    scene.until_done(launch)
    quiet(scene, scene.carry_out)
    [posting] = [row.posting for row in scene.rows("publish")]
    assert len(list(quiet(scene, lambda: list(recruiter.postings())))) == 1, "doubled"
    promised = people(scene, posting, size)
    scene.clock.now += 2 * 3600

    def review_and_pay():
        review(scene, posting)
        scene.carry_out()
        return pay(
            scene.database, recruiter, scene.campaign, compensate=True,
            question=lambda *_: "<x/>", clock=scene.clock, sleep=scene.clock.sleep,
        )  # fmt: skip

    for _ in range(4):
        scene.until_done(review_and_pay)
        take_compensations(scene)
        assert recruiter.spent() <= scene.campaign.pay.budget

    def close():
        scene.intend(calls.expire(posting))
        return review_and_pay()

    scene.until_done(close)
    scene.trouble.left = 0
    scene.clock.now += 26 * 3600
    paid = close()
    assert paid.carried.left == 0, paid
    assert {row.state for row in scene.rows()} == {"confirmed"}
    for worker, amount in promised.items():
        assert scene.received(worker) == amount, worker
    the_books_agree(scene)
    return scene.trouble.seen


def people(scene: Scene, posting: str, size: int) -> dict[str, Decimal]:
    """Workers come, and some hand nothing in; return what each is promised."""
    promised = {}
    reward = scene.campaign.pay.reward
    for number in range(size + 1):
        worker, reason = f"w{number}", scene.draw.choice(REASONS)
        try:
            assignment = scene.recruiter.accept(posting, worker)
        except RecruiterError:
            break
        code = scene.person(worker, assignment, reason)
        ending = scene.draw.choice(["hand in", "hand in", "hand in", "give back", "reject", "copy"])
        paid = reward + BONUS[reason] if reason in BONUS else Decimal(0)
        if ending == "give back":
            scene.recruiter.give_back(assignment)
        else:
            code = "COPIED" if ending == "copy" else code
            scene.recruiter.submit(assignment, {"code": code, "wish": ending})
            paid = paid if ending != "reject" and reason in BONUS else Decimal(0)
        promised[worker] = paid
    return promised


def review(scene: Scene, posting: str) -> None:
    """The requester decides: as the worker wished, and against whoever has nothing to show."""
    with scene.database.read() as reader:
        from collection.money.people import finished

        paid = {one.worker for one in finished(reader, scene.campaign.name) if one.kind}
    decisions = []
    for one in quiet(scene, lambda: list(scene.recruiter.submissions(posting))):
        if one.state != "submitted":
            continue
        if one.answers["wish"] == "reject" or one.worker not in paid:
            decisions.append(calls.reject(one, reason="The code is not one of ours; write to us."))
        else:
            reward = scene.campaign.pay.reward
            decisions.append(calls.approve(one, reward=reward, assignments=3, fees=scene.fees))
    scene.intend(*decisions)


def take_compensations(scene: Scene) -> None:
    """Whoever was written to about a compensation takes it."""
    told = {worker for worker, _ in scene.recruiter.letters()}
    for posting in quiet(scene, lambda: list(scene.recruiter.postings())):
        for worker in told:
            try:
                taken = scene.recruiter.accept(posting.id, worker)
            except RecruiterError:
                continue  # not theirs, or taken
            if posting.id == "1":
                scene.recruiter.give_back(taken)
                continue
            scene.recruiter.submit(taken, {})


def the_books_agree(scene: Scene) -> None:
    """Row by row and in sum, the ledger is what the platform has done."""
    recruiter = scene.recruiter
    postings = list(recruiter.postings())
    published = {row.posting: row.token for row in scene.rows("publish")}
    assert {one.id: one.token for one in postings} == published
    bonuses = [one for posting in postings for one in recruiter.bonuses(posting.id)]
    rows = scene.rows("bonus")
    assert len(bonuses) == len(rows)
    assert {(one.submission, one.amount) for one in bonuses} == {
        (row.submission, row.amount) for row in rows
    }
    handed_in = [one for posting in postings for one in recruiter.submissions(posting.id)]
    approved = {one.id for one in handed_in if one.state == "approved"}
    assert approved == {row.submission for row in scene.rows("approve")}
    # What was rejected stays reserved, as the rejection may be turned back.
    reward = scene.campaign.pay.reward
    rejected = sum(one.state == "rejected" for one in handed_in)
    reserved = rejected * (reward + assignment_fee(scene.fees, reward, 1))
    assert scene.committed() - reserved == recruiter.spent() + unredeemed(scene, rejected)


def unredeemed(scene: Scene, rejected: int) -> Decimal:
    """The bonuses that rejected submissions could still earn."""
    [first] = [row for row in scene.rows("publish") if row.key == "chat:1"]
    return first.unit[2] * rejected


def quiet(scene: Scene, action):
    """Do something while nothing goes wrong."""
    left, scene.trouble.left = scene.trouble.left, 0
    try:
        return action()
    finally:
        scene.trouble.left = left
