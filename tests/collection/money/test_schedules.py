"""Hundreds of campaigns in which processes die, answers get lost and time runs away: each worker
gets what the campaign file promises, once, and the ledger is the platform's books. A thousand with
PHOTOCHAT_LONG=1."""

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
from tests.conftest import LONG

SCHEDULES, PARTS = 1000 if LONG else 400, 4
WHOLE = 20  # every twentieth is a whole campaign with compensations, the others their calls alone
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


@pytest.fixture(scope="module")
def play(shared_database):
    """Plays a part of the schedules, once; returns what went wrong in them, and where."""
    played: dict[int, set[str]] = {}

    def run(part: int) -> set[str]:
        if part not in played:
            seen: set[str] = set()
            for seed in range(part, SCHEDULES, PARTS):
                try:
                    one = campaign if seed // PARTS % WHOLE == 0 else some_calls
                    seen |= one(shared_database, seed)
                except Exception as error:
                    raise AssertionError(f"schedule {seed}") from error
            played[part] = seen
        return played[part]

    return run


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_nobody_is_paid_twice_and_nobody_forgotten(play, part):
    """Whatever the schedule; the number in the message is its seed."""
    assert play(part)


@pytest.mark.slow
def test_the_schedules_reach_the_places_that_matter(play):
    seen = set().union(*map(play, range(PARTS)))
    for operation in ("publish", "extend", "approve", "bonus", "notify", "expire"):
        for what in ("kill after", "kill before", "no answer after", "beside before"):
            assert f"{what} {operation}" in seen


def some_calls(database: Database, seed: int) -> set[str]:
    """Publish, extend, decide, pay and notify, with processes dying and others beside them."""
    scene = Scene(database, f"c{seed}", seed=seed, troubles=seed % 8)
    scene.trouble.beside = scene.carry_out

    def do(*intended):
        scene.intend(*intended)
        scene.carry_out()

    scene.until_done(lambda: do(scene.publish("chat:1", 1)))
    scene.until_done(scene.carry_out)
    [row] = scene.rows("publish")
    amount, fee, promise = row.unit
    more = calls.extend(
        "1", row.posting, assignments=1, seconds=60,
        unit_amount=amount, unit_fee=fee, unit_promise=promise,
    )  # fmt: skip
    workers = ["anna", "ben"][: scene.draw.choice([1, 2])]
    if len(workers) == 2:
        scene.until_done(lambda: do(more))
    for worker in workers:
        taken = scene.recruiter.accept(row.posting, worker)
        scene.recruiter.submit(taken, {})
    handed_in = quiet(scene, lambda: list(scene.recruiter.submissions(row.posting)))
    due = [calls.expire(row.posting)]
    if scene.draw.random() < 0.5:
        due.append(calls.notify("1", workers, subject="Thanks", text="!"))
    for number, one in enumerate(handed_in):
        bonus = Decimal("1.30") - number * Decimal("0.75")
        due.append(calls.approve(one, reward=amount, assignments=2, fees=scene.fees))
        due.append(calls.bonus(one.id, one, bonus, scene.fees, participant=number, reason="!"))
    scene.draw.shuffle(due)
    scene.until_done(lambda: do(*due))
    scene.trouble.left = 0
    scene.clock.now += scene.draw.choice([0.0, 26 * 3600.0])
    assert scene.carry_out().left == 0
    [posting] = scene.recruiter.postings()
    assert (posting.assignments, posting.open) == (len(workers), False)
    assert scene.received("anna") == Decimal("1.50")
    assert scene.received("ben") == (Decimal("0.75") if len(workers) == 2 else 0)
    the_books_agree(scene)
    return scene.trouble.seen


def campaign(database: Database, seed: int) -> set[str]:
    """A whole campaign: launch, people who leave or hand in, review, pay, compensate, close."""
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
        review(scene, posting, promised)
        scene.carry_out()
        return pay(
            scene.database, recruiter, scene.campaign, compensate=True,
            question=lambda *_: "<x/>", clock=scene.clock, sleep=scene.clock.sleep,
        )  # fmt: skip

    def close():
        scene.intend(calls.expire(posting))
        return review_and_pay()

    for step in (review_and_pay, close):
        scene.until_done(step)
        take_compensations(scene)
        assert recruiter.spent() <= scene.campaign.pay.budget
    scene.trouble.left = 0
    scene.clock.now += 26 * 3600
    while close().intended:
        take_compensations(scene)
    assert not close().intended, "something was done again"
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


def review(scene: Scene, posting: str, promised: dict[str, Decimal]) -> None:
    """The requester decides: as the worker wished, and against whoever has nothing to show."""
    decisions = []
    for one in quiet(scene, lambda: list(scene.recruiter.submissions(posting))):
        if one.state != "submitted":
            continue
        if promised[one.worker]:
            reward = scene.campaign.pay.reward
            decisions.append(calls.approve(one, reward=reward, assignments=3, fees=scene.fees))
        else:
            decisions.append(calls.reject(one, reason="The code is not one of ours; write to us."))
    if decisions:
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
    [first] = [row for row in scene.rows("publish") if row.key == "chat:1"]
    reserved += rejected * first.unit[2]
    assert scene.committed() - reserved == recruiter.spent()


def quiet(scene: Scene, action):
    """Do something while nothing goes wrong."""
    left, scene.trouble.left = scene.trouble.left, 0
    try:
        return action()
    finally:
        scene.trouble.left = left
