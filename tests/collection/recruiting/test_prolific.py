"""Prolific as a recruiter, over HTTP against a server that behaves as its reference documents."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from flask import Response, abort

from collection.money.calls import bonus
from collection.money.carry_out import carry_out
from collection.money.fees import FREE
from collection.money.ledger import intend
from collection.money.paying import pay
from collection.money.reconcile import reconcile
from collection.recruiting.close import close
from collection.recruiting.extend import extend
from collection.recruiting.launch import launch
from collection.recruiting.prolific import Prolific
from collection.recruiting.prolific_export import read_export
from collection.recruiting.prolific_wire import Wire
from collection.recruiting.recruiter import (
    AlreadyDoneError,
    NoMoneyError,
    NotThereError,
    Order,
    RecruiterError,
    Requirement,
    TryAgainError,
)
from collection.recruiting.review import Decision, decide
from collection.recruiting.synchronise import synchronise
from photochat.cli.typed import free_port
from photochat.errors import DataError
from tests.collection.recruiting.prolific_server import TOKEN, ProlificServer

ORDER = Order(
    token="pc-1",
    kind="chat",
    title="Chat",
    description="Chat about a photo",
    keywords="",
    reward=Decimal("1.50"),
    assignments=9,
    assignment_seconds=3600,
    lifetime_seconds=86400,
    auto_approval_seconds=0,
    question="https://chat.example.org/join/photos",
)
REASON = "The conversation has no words of yours in it. " * 3


@pytest.fixture
def server() -> Iterator[ProlificServer]:
    server = ProlificServer()
    yield server
    server.stop()


def prolific(url: str, token: str = TOKEN, **options: Any) -> Prolific:
    settings: dict[str, Any] = {
        "workspace": "w",
        "project": "p",
        "minutes": 12,
        "codes": {"complete": "C1", "no_partner": "C2"},
        **options,
    }
    return Prolific(Wire(token, url), "photos", **settings)


def test_a_study_is_published_once_for_a_token(server):
    """With codes by outcome, the participant's ids in its address, and pay in cents."""
    account = prolific(server.url, filters=[{"filter_id": "age", "selected_range": {"lower": 18}}])
    order = msgspec.structs.replace(ORDER, requirements=(Requirement("done", "DoesNotExist"),))
    study = account.publish(order)
    row = server.studies[study]
    assert (row["status"], row["reward"], row["total_available_places"]) == ("ACTIVE", 150, 9)
    assert row["external_study_url"] == (
        "https://chat.example.org/join/photos?worker={{%PROLIFIC_PID%}}"
        "&assignment={{%SESSION_ID%}}&study={{%STUDY_ID%}}"
    )
    assert [one["code"] for one in row["completion_codes"]] == ["C1", "C2"]
    assert all(one["actions"] == [{"action": "MANUALLY_REVIEW"}] for one in row["completion_codes"])
    assert [one["filter_id"] for one in row["filters"]] == ["age", "participant_group_blocklist"]
    with pytest.raises(AlreadyDoneError) as caught:
        account.publish(order)
    assert caught.value.id == study
    assert len(server.studies) == 1


def test_a_draft_that_a_crash_left_is_published_not_doubled(server):
    """Making a study and publishing it are two calls."""
    account = prolific(server.url)
    server.before = lambda method, path: abort(502) if path.endswith("/transition/") else None
    with pytest.raises(TryAgainError):
        account.publish(ORDER)
    server.before = lambda method, path: None
    assert account.publish(ORDER) == "study1"
    assert [one["status"] for one in server.studies.values()] == ["ACTIVE"]


def test_postings_are_found_again_by_their_token_over_all_pages(server):
    """The server gives two a page, and names another host for the next."""
    account = prolific(server.url)
    tokens = [f"pc-{number}" for number in range(5)]
    for token in tokens:
        account.publish(msgspec.structs.replace(ORDER, token=token))
    postings = list(account.postings())
    assert [one.token for one in postings] == tokens
    assert all(one.open and one.available == 9 for one in postings)
    assert postings[0].reward == Decimal("1.50")


def test_a_place_that_was_given_back_is_free_again(server):
    """Those at work are told apart from those who have handed in."""
    account = prolific(server.url)
    study = account.publish(ORDER)
    for number, status in enumerate(["ACTIVE", "RETURNED", "APPROVED", "TIMED-OUT", "REJECTED"]):
        server.hand_in(study, number, status)
    (posting,) = account.postings()
    assert (posting.pending, posting.available) == (1, 7)


def test_places_are_added_once_for_a_token(server):
    """The token's mark and the places are set by the same request; the order's token stays."""
    account = prolific(server.url)
    study = account.publish(ORDER)
    for token in ("pc-2", "pc-2", "pc-3"):
        account.extend(study, assignments=3, seconds=60, token=token)
    assert server.studies[study]["total_available_places"] == 15
    assert next(account.postings()).token == "pc-1"


def test_a_paused_study_takes_nobody_in_until_it_is_extended(server):
    """Both may be repeated."""
    account = prolific(server.url)
    study = account.publish(ORDER)
    account.expire(study)
    account.expire(study)
    assert not next(account.postings()).open
    account.extend(study, assignments=0, seconds=60, token="pc-2")
    assert next(account.postings()).open


def test_closing_pauses_the_campaigns_studies_and_extending_starts_them(server, stage):
    """For any number of hours; what is free in them is counted before places are added."""
    stage.with_terms(open_at_once=8)
    stage.recruiter = prolific(server.url)
    launch(*stage.parts(), pace=True, **stage.timing)
    server.hand_in("study1", 1)
    server.hand_in("study1", 2, "RETURNED")
    for _ in range(2):
        close(*stage.parts(), **stage.timing)
        assert server.studies["study1"]["status"] == "PAUSED"
        assert extend(*stage.parts(), hours=0, open_places=8, **stage.timing).short == 8
        extend(*stage.parts(), hours=48, open_places=8, **stage.timing)
        (posting,) = stage.shown()
        assert (posting.open, posting.assignments, posting.available) == (True, 9, 8)
    assert extend(*stage.parts(), hours=48, open_places=8, **stage.timing).extensions == ()


def test_only_what_was_handed_in_is_a_submission(server):
    """With its code, and the day on which Prolific approves by itself."""
    account = prolific(server.url)
    study = account.publish(ORDER)
    for number, status in enumerate(
        ["AWAITING REVIEW", "RETURNED", "APPROVED", "ACTIVE", "TIMED-OUT", "REJECTED"]
    ):
        server.hand_in(study, number, status)
    found = list(account.submissions(study))
    assert [(one.worker, one.state) for one in found] == [
        ("person0", "submitted"),
        ("person2", "approved"),
        ("person5", "rejected"),
    ]
    assert found[0].answers == {"code": "DONE"}
    assert found[0].approved_by_itself_at == found[0].submitted_at + 21 * 86400


def test_decisions_may_be_repeated_but_not_turned(server):
    """Prolific takes no rejection back, and wants a reason one can act on."""
    account = prolific(server.url)
    study = account.publish(ORDER)
    good, bad = server.hand_in(study, 1), server.hand_in(study, 2)
    for _ in range(2):
        account.approve(good)
        account.reject(bad, reason=REASON)
    with pytest.raises(RecruiterError, match="the submission is rejected"):
        account.approve(bad)
    with pytest.raises(RecruiterError, match="support"):
        account.approve(bad, override=True)
    with pytest.raises(RecruiterError, match="100 characters"):
        account.reject(good, reason="bad")
    with pytest.raises(NotThereError):
        account.approve("nothing")


def test_a_bonus_that_stands_in_the_books_is_not_paid_again(server):
    """Prolific pays as often as it is asked, some time later."""
    account = prolific(server.url)
    submission = server.hand_in(account.publish(ORDER), 1)
    dime = {"worker": "person1", "submission": submission, "reason": "r"}
    account.bonus(**dime, amount=Decimal("0.50"), token="pc-5")
    server.pay_out()
    with pytest.raises(AlreadyDoneError):
        account.bonus(**dime, amount=Decimal("0.50"), token="pc-5")
    account.bonus(**dime, amount=Decimal("0.75"), token="pc-6")
    server.pay_out()
    assert server.submissions[submission]["bonus_payments"] == [50, 75]
    amounts = [one.amount for one in account.bonuses("study1")]
    assert amounts == [Decimal("0.50"), Decimal("0.75")]


@pytest.mark.parametrize("end", [BaseException("killed"), KeyboardInterrupt(), "no answer"])
def test_a_bonus_of_unknown_fate_is_not_asked_for_again_before_the_books_can_tell(
    server, stage, monkeypatch, end
):
    """Killed after the call, interrupted, or without an answer: paid once, and nobody forgotten."""
    account = prolific(server.url)
    study = account.publish(ORDER)
    server.hand_in(study, 1)
    (handed_in,) = account.submissions(study)
    stage.recruiter = account
    call = bonus("k", handed_in, Decimal("0.50"), FREE, participant=1, reason="r")
    with stage.database.writing.begin() as connection:
        intend(connection, stage.campaign, call, now=stage.now)
    pay = account._wire.post

    def post(path: str, body: dict[str, Any]) -> Any:
        answer = pay(path, body)
        if path.endswith("/pay/"):
            raise TryAgainError(end) if isinstance(end, str) else end
        return answer

    monkeypatch.setattr(account._wire, "post", post)
    with contextlib.suppress(BaseException):
        carry_out(*stage.parts(), **stage.timing)
    monkeypatch.setattr(account._wire, "post", pay)
    stopped = carry_out(*stage.parts(), **stage.timing)
    assert (stopped.left, len(server.asked_to_pay)) == (1, 1)
    server.pay_out()
    stage.now += 3600
    assert carry_out(*stage.parts(), **stage.timing).confirmed == 1
    assert server.asked_to_pay == []
    assert server.submissions["sub1"]["bonus_payments"] == [50]


def test_a_bonus_is_reconciled_by_its_submission_and_amount(server, stage):
    """Prolific keeps no reasons; once more is a difference."""
    stage.recruiter = prolific(server.url)
    launch(*stage.parts(), **stage.timing)
    submission = server.hand_in("study1", 1)
    stage.finish("person1", submission)
    synchronise(*stage.parts(), clock=stage.clock)
    with stage.database.writing.begin() as connection:
        approval = [Decision(submission, "approve")]
        decide(connection, stage.campaign, "prolific", approval, now=stage.now)
    assert pay(*stage.parts(), **stage.timing).carried.left == 0
    server.pay_out()
    assert server.submissions[submission]["bonus_payments"] == [100]
    assert reconcile(*stage.parts(), **stage.timing).differences == ()
    server.submissions[submission]["bonus_payments"] += [100, 75]
    found = reconcile(*stage.parts(), **stage.timing)
    assert [one.platform for one in found.differences] == ["1.00 once more", "paid 0.75: "]


def test_a_bonus_that_was_understood_otherwise_is_not_paid(server):
    """0.50 may never become 50."""
    account = prolific(server.url)
    submission = server.hand_in(account.publish(ORDER), 1)

    def wrong(method: str, path: str) -> Response | None:
        if path.endswith("submissions/bonus-payments/"):
            body = b'{"id": "bulk1", "amount": 5000, "study": "study1"}'
            return Response(body, 201, mimetype="application/json")
        return None

    server.before = wrong
    with pytest.raises(RecruiterError, match=r"0\.50 was set up as 50\.00: not paid"):
        account.bonus(
            worker="person1", submission=submission, amount=Decimal("0.5"), reason="", token="t"
        )
    assert not any(path.endswith("/pay/") for _, path in server.calls)


def test_who_has_handed_nothing_in_is_named_and_paid_by_people(server, stage):
    """There can be no task of their own: a study is a page, and Prolific's bonus needs none."""
    stage.recruiter = prolific(server.url)
    stage.finish("ann", "1", "no-partner")
    stage.now += 48 * 3600
    assert [line.worker for line in pay(*stage.parts(), **stage.timing).missing] == ["ann"]
    with pytest.raises(DataError, match="--compensate: cannot be done: on Prolific mark them"):
        pay(*stage.parts(), compensate=True, **stage.timing)
    assert (server.studies, server.groups) == ({}, {})


def test_a_qualification_is_a_participant_group_of_the_campaign(server):
    """Made once, found again by its name by whoever comes later."""
    for worker in ("a", "b", "b"):
        prolific(server.url).qualify("done", worker, 1)
    prolific(server.url).qualify("done", "a", None)
    prolific(server.url).qualify("trained", "c", 1)
    groups = {one["name"]: one["members"] for one in server.groups.values()}
    assert groups == {"photos: done": ["b"], "photos: trained": ["c"]}


def test_participants_are_written_to_under_a_study_they_took_part_in(server):
    """Those who took part in none are named."""
    account = prolific(server.url)
    first = account.publish(ORDER)
    second = account.publish(msgspec.structs.replace(ORDER, token="pc-2"))
    server.hand_in(first, 1)
    server.hand_in(second, 2, "RETURNED")
    assert account.notify(["person2", "person1", "x"], subject="S", text="T") == ("x",)
    sent = {one["study_id"]: one["ids"] for one in server.messages}
    assert sent == {first: ["person1"], second: ["person2"]}
    assert server.messages[0]["body"] == "S\n\nT"


def test_the_balance_is_the_workspaces(server):
    """In the currency's own units."""
    assert prolific(server.url).balance() == Decimal("1000.00")


def test_what_goes_wrong_is_one_line_with_the_next_step(server):
    """Token, access, money, place, and an answer that is none."""
    with pytest.raises(DataError, match="Go to API token page") as caught:
        prolific(server.url, token="wrong").balance()
    assert caught.value.field == "PHOTOCHAT_PROLIFIC_TOKEN"
    with pytest.raises(DataError, match="nobody answers"):
        prolific(f"http://127.0.0.1:{free_port()}").balance()
    with pytest.raises(DataError, match="https:// or http://"):
        prolific(server.url.replace("http:", "https:")).balance()
    server.balance = 10
    with pytest.raises(NoMoneyError, match="top up"):
        prolific(server.url).publish(ORDER)
    for status, error in ((403, DataError), (429, TryAgainError), (503, TryAgainError)):
        server.before = lambda method, path, status=status: abort(status, "so it is")
        with pytest.raises(error, match="so it is"):
            prolific(server.url).balance()
    server.before = lambda method, path: Response("<html>Wi-Fi login</html>", 200)
    with pytest.raises(TryAgainError, match="something else answered"):
        prolific(server.url).balance()
    server.before = lambda method, path: Response("", 302, {"Location": "https://example.org/"})
    with pytest.raises(DataError, match="HTTP 302"):
        prolific(server.url).balance()


EXPORT = """Submission id,Participant id,Status,Completed at,Completion code
s1,person1,AWAITING REVIEW,2026-01-02T00:10:00.000000Z,C1
s2,person2,APPROVED,2026-01-02T00:11:00.000000Z,NOCODE
s3,person3,RETURNED,,
s4,person4,RETURNED,,
"""


def test_the_export_tells_who_handed_in_what(tmp_path):
    """What was returned is counted, not forgotten."""
    path = tmp_path / "export.csv"
    path.write_text("\ufeff" + EXPORT, encoding="utf-8")
    submissions, others = read_export(path, "study1")
    assert [(one.id, one.state, one.answers) for one in submissions] == [
        ("s1", "submitted", {"code": "C1"}),
        ("s2", "approved", {}),
    ]
    assert others == {"RETURNED": 2}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a,b\n1,2\n", "has no column 'Submission id'"),
        (EXPORT.replace("APPROVED", "PERHAPS"), "row 3: unknown status 'PERHAPS'"),
        (EXPORT.replace("s2", "s1"), "row 3: submission s1 stands twice"),
        (EXPORT.replace("2026-01-02T00:10", "yesterday"), "row 2"),
    ],
)
def test_an_export_that_is_none_is_named(tmp_path, text, problem):
    """With its row."""
    path = tmp_path / "export.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=problem):
        read_export(path, "study1")
