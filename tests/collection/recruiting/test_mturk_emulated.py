"""MTurk as a recruiter against the emulator: real boto3, every operation that campaigns use, and a
whole campaign whose connection is cut at every call."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collection.database import Database
from collection.money import ledger
from collection.money.carry_out import carry_out
from collection.recruiting import mturk as module
from collection.recruiting.close import close
from collection.recruiting.extend import extend
from collection.recruiting.hits import external_question
from collection.recruiting.launch import launch
from collection.recruiting.mturk import Mturk, connect
from collection.recruiting.recruiter import (
    AlreadyDoneError,
    NoMoneyError,
    NotThereError,
    Order,
    RecruiterError,
    Requirement,
    TryAgainError,
)
from collection.recruiting.review import Decision, approvable, decide, entries
from collection.recruiting.synchronise import synchronise
from photochat.errors import DataError
from tests.collection.mturk_emulator.rehearsal import START, Rehearsal, rehearsal
from tests.collection.recruiting.stage import Stage

REASON = "You wrote single letters only after the first message; please tell us if the page failed."


@pytest.fixture
def emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rehearsal]:
    monkeypatch.setattr(module, "ATTEMPTS", 1)  # every failure is the ledger's to deal with
    with rehearsal(tmp_path / "books.db", balance=100_000, refuse_repeats=True) as running:
        yield running


@pytest.fixture
def turk(emulator: Rehearsal) -> Mturk:
    return recruiter(emulator)


def recruiter(emulator: Rehearsal) -> Mturk:
    client = connect(emulator.url, rehearsal_key=True)
    return Mturk(client, "photos", clock=lambda: float(emulator.control("clock")["now"]))


def order(**values: Any) -> Order:
    base = Order(
        token="pc-1",
        kind="chat",
        title="Chat",
        description="Chat about a photo",
        keywords="chat",
        reward=Decimal("1.50"),
        assignments=3,
        assignment_seconds=3600,
        lifetime_seconds=86400,
        auto_approval_seconds=259200,
        question=external_question("https://chat.example.org/join/photos", 800),
    )
    return msgspec.structs.replace(base, **values)


def hand_in(emulator: Rehearsal, hit: str, worker: str) -> str:
    emulator.worker(worker)
    return emulator.work(hit, worker)


def test_publishing_and_finding_again(emulator, turk):
    """Once for a token, while MTurk remembers it; found by its annotation for good."""
    hit = turk.publish(order())
    with pytest.raises(AlreadyDoneError) as caught:
        turk.publish(order())
    assert caught.value.id == hit
    (posting,) = turk.postings()
    assert (posting.id, posting.token, posting.available) == (hit, "pc-1", 3)
    assert posting.open
    assert posting.expires_at == START + 86400
    assert len(emulator.control("books")["hits"]) == 1


def test_extending_and_expiring(emulator, turk):
    """Once for a token; from now on; and from nine to ten not at all."""
    hit = turk.publish(order())
    for _ in range(2):
        turk.extend(hit, assignments=2, seconds=2 * 86400, token="pc-2")
    (posting,) = turk.postings()
    assert (posting.assignments, posting.expires_at) == (5, START + 2 * 86400)
    with pytest.raises(RecruiterError, match="InvalidMaximumAssignmentsIncrease"):
        turk.extend(hit, assignments=5, seconds=0, token="pc-3")
    turk.expire(hit)
    turk.expire(hit)
    assert not next(turk.postings()).open
    turk.extend(hit, assignments=0, seconds=3600, token="pc-4")
    assert next(turk.postings()).open
    turk.expire(hit)
    assert not next(turk.postings()).open


def test_submissions_decisions_and_bonuses(emulator, turk):
    """Repeating is safe although the platform refuses it; each bonus is paid once."""
    hit = turk.publish(order())
    good, bad = hand_in(emulator, hit, "AANN"), hand_in(emulator, hit, "ABEN")
    found = {one.id: one for one in turk.submissions(hit)}
    assert found[good].answers == {"code": "c-1"}
    assert found[good].approved_by_itself_at == found[good].submitted_at + 259200
    for _ in range(2):
        turk.approve(good, message="Thank you")
        turk.reject(bad, reason=REASON)
    with pytest.raises(RecruiterError, match="the assignment is rejected"):
        turk.approve(bad)
    turk.approve(bad, override=True)
    assert [one.state for one in turk.submissions(hit)] == ["approved", "approved"]
    dime = {"worker": "AANN", "submission": good, "amount": Decimal("0.10"), "reason": "waiting"}
    turk.bonus(**dime, token="pc-5")
    with pytest.raises(AlreadyDoneError):
        turk.bonus(**dime, token="pc-5")
    (paid,) = turk.bonuses(hit)
    assert (paid.submission, paid.worker, paid.amount) == (good, "AANN", Decimal("0.10"))
    # Three rewards of 1.50 at 20% were held; two are paid, and one dime with its fee of 2 cents.
    assert emulator.money()["paid"] + emulator.money()["fees"] == 2 * 180 + 12
    assert turk.balance() == Decimal("1000.00") - 3 * Decimal("1.80") - Decimal("0.12")
    with pytest.raises(NotThereError):
        turk.approve("3NOTHING")


def test_qualifications_hide_a_hit_from_those_who_may_not(emulator, turk):
    """Private ones are made once for a campaign, and others are MTurk's own."""
    wanted = (
        Requirement("done", "DoesNotExist"),
        Requirement("locale", "In", ("US",)),
        Requirement("percent approved", "GreaterThanOrEqualTo", ("95",)),
    )
    turk.publish(order(requirements=wanted))
    emulator.worker("AANN", country="US", percent_approved=99)
    emulator.worker("ABEN", country="DE", percent_approved=99)
    assert [len(emulator.control(f"workers/{one}/hits")) for one in ("AANN", "ABEN")] == [
        1,
        0,
    ]
    for _ in range(2):
        recruiter(emulator).qualify("done", "AANN", 1)
    assert emulator.control("workers/AANN/hits") == []
    for _ in range(2):
        turk.qualify("done", "AANN", None)
    assert len(emulator.control("workers/AANN/hits")) == 1
    types = emulator.api.list_qualification_types(MustBeRequestable=False, MustBeOwnedByCaller=True)
    assert [one["Name"] for one in types["QualificationTypes"]] == ["photos: done"]


def test_letters_reach_those_whose_work_was_decided(emulator, turk):
    """The others are named."""
    hit = turk.publish(order())
    turk.approve(hand_in(emulator, hit, "AANN"))
    emulator.worker("ABEN")
    assert turk.notify(["AANN", "ABEN"], subject="s", text="t") == ("ABEN",)


def test_lists_are_read_to_their_last_page(turk, monkeypatch):
    """Two at once here, a hundred elsewhere."""
    monkeypatch.setattr(module, "PAGE", 2)
    for number in range(5):
        turk.publish(order(token=f"pc-{number}"))
    assert {one.token for one in turk.postings()} == {f"pc-{number}" for number in range(5)}


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("throttle", TryAgainError),
        ("fail_before", TryAgainError),
        ("fail_after", TryAgainError),
        ("cut_before", TryAgainError),
        ("cut_after", TryAgainError),
        ("refuse", NotThereError),
    ],
)
def test_failures_come_out_as_what_they_are(emulator, turk, fault, error):
    """And the same call works afterwards, once."""
    emulator.control("faults", {"kind": fault, "operation": "CreateHIT"})
    with pytest.raises(error):
        turk.publish(order())
    with_luck = None
    try:
        with_luck = turk.publish(order())
    except AlreadyDoneError as again:
        with_luck = again.id
    assert [one.id for one in turk.postings()] == [with_luck]


def test_no_money_and_a_wrong_key(tmp_path, emulator, turk):
    """Each names the next step, and nothing was made."""
    with pytest.raises(NoMoneyError, match="add money"):
        turk.publish(order(reward=Decimal("900.00")))
    assert list(turk.postings()) == []
    from collection.mturk_emulator.signature import Key

    with rehearsal(tmp_path / "other.db", key=Key("AKIDRIGHT", "secret")) as other:
        wrong = Mturk(connect(other.url, rehearsal_key=True), "photos")
        with pytest.raises(DataError, match="AWS_SECRET_ACCESS_KEY"):
            wrong.balance()


class Campaign(Stage):
    """A stage whose platform is the emulator."""

    def __init__(self, database: Database, folder: Path, emulator: Rehearsal) -> None:
        super().__init__(database, folder, 8)
        self.with_terms(recruiter="mturk", url="https://chat.example.org")
        self.recruiter = recruiter(emulator)  # type: ignore[assignment]
        self.emulator = emulator
        self.now = START

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.emulator.advance(seconds)

    def work(self, worker: str, reason: str = "submitted", code: str | None = None) -> str:
        self.emulator.worker(worker)
        hit = self.emulator.control(f"workers/{worker}/hits")[0]["hit"]
        assignment = self.emulator.accept(worker, hit)
        self.finish(worker, assignment, reason)
        self.emulator.submit(worker, assignment, code=f"CODE{worker}" if code is None else code)
        return assignment

    def whole(self) -> None:
        """Launch, extend, review and close, as often as anybody likes."""
        launch(*self.parts(), **self.timing)
        extend(*self.parts(), hours=24 * 8, **self.timing)
        with self.database.writing.begin() as connection:
            found = entries(connection, self.campaign)
            chosen = approvable(found, self.campaign)
            chosen += [
                Decision(one.submission, "reject", REASON)
                for one in found
                if one.is_open and one.finding == "unknown-code"
            ]
            decide(connection, self.campaign, "mturk", chosen, now=self.now)
        carry_out(*self.parts(), **self.timing)
        synchronise(*self.parts(), clock=self.clock)


def test_a_closed_campaign_is_opened_with_the_places_that_it_has(tmp_path, sqlite, emulator):
    """Closed, MTurk names none of them as free; nothing is added to what stays closed."""
    stage = Campaign(sqlite, tmp_path, emulator)
    launch(*stage.parts(), **stage.timing)
    stage.work("AANN")
    for _ in range(2):
        stage.sleep(60)
        close(*stage.parts(), **stage.timing)
        assert [(one.open, one.available) for one in stage.shown()] == [(False, 0)] * 2
        assert extend(*stage.parts(), hours=0, open_places=16, **stage.timing).short == 16
        extend(*stage.parts(), hours=48, open_places=16, **stage.timing)
        assert all(one.open for one in stage.shown())
        assert sum(one.available for one in stage.shown()) == 16


OPERATIONS = {
    "CreateHIT": 2,
    "UpdateExpirationForHIT": 1,
    "ApproveAssignment": 2,
    "RejectAssignment": 1,
}


@pytest.mark.parametrize("kind", ["cut_before", "cut_after"])
@pytest.mark.parametrize(
    ("operation", "skip"),
    [(name, skip) for name, count in OPERATIONS.items() for skip in range(count)],
)
def test_a_campaign_cut_at_any_call_ends_as_one_that_was_not(
    tmp_path, sqlite, emulator, kind, operation, skip
):
    """No HIT doubled, nobody decided upon twice, and the ledger agrees with the books."""
    stage = Campaign(sqlite, tmp_path, emulator)
    emulator.control("faults", {"kind": kind, "operation": operation, "skip": skip})
    launch(*stage.parts(), **stage.timing)
    stage.work("AANN")
    stage.work("ABEN", "no-partner")
    stage.work("ACAT", code="made up")
    stage.complete(2)
    stage.whole()
    stage.whole()
    assert emulator.control("faults") == [], "the fault was never met"
    books = emulator.control("books")
    assert len(books["hits"]) == 2
    states = sorted(one["status"] for one in books["assignments"])
    assert states == ["Approved", "Approved", "Rejected"]
    assert books["account"]["paid"] == 2 * 50
    with sqlite.read() as reader:
        rows = ledger.calls(reader, stage.campaign)
    assert {row.state for row in rows} == {"confirmed"}
    close(*stage.parts(), **stage.timing)
    assert not any(one.open for one in stage.shown())
