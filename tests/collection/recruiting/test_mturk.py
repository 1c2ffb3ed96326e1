"""MTurk as a recruiter: what is asked of it and how its answers are read, by botocore's Stubber,
which holds both against the service's own model."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from botocore.stub import ANY, Stubber

from collection.recruiting import mturk
from collection.recruiting.mturk import Mturk, read_answers
from collection.recruiting.recruiter import (
    AlreadyDoneError,
    Order,
    RecruiterError,
    Requirement,
)

UTC = datetime.timezone.utc
AT = datetime.datetime(2026, 1, 2, tzinfo=UTC)
ORDER = Order(
    token="pc-1",
    kind="chat",
    title="Chat",
    description="Chat about a photo",
    keywords="chat",
    reward=Decimal("1.5"),
    assignments=9,
    assignment_seconds=3600,
    lifetime_seconds=86400,
    auto_approval_seconds=259200,
    question="<ExternalQuestion/>",
)
HIT = "3HIT00000000000000000000000001"


@pytest.fixture
def client() -> Any:
    return mturk.connect(mturk.SANDBOX, rehearsal_key=True)


@pytest.fixture
def stub(client: Any) -> Iterator[Stubber]:
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def turk(client: Any) -> Mturk:
    return Mturk(client, "photos", clock=AT.timestamp)


def created(**hit: Any) -> dict[str, Any]:
    return {"HIT": {"HITId": HIT, **hit}}


def request_error(stub: Stubber, operation: str, code: str, message: str) -> None:
    """The live service's shape: the code stands beside the message, not in `Error`."""
    stub.add_client_error(
        operation,
        "RequestError",
        message,
        400,
        response_meta=None,
        modeled_fields={"Message": message, "TurkErrorCode": f"AWS.MechanicalTurk.{code}"},
    )


def test_a_hit_carries_its_token_twice_and_its_reward_with_two_places(stub, turk):
    """As request token for a day, as annotation for good."""
    stub.add_response(
        "create_hit",
        created(),
        {
            "UniqueRequestToken": "pc-1",
            "RequesterAnnotation": "pc-1",
            "Title": "Chat",
            "Description": "Chat about a photo",
            "Keywords": "chat",
            "Reward": "1.50",
            "MaxAssignments": 9,
            "AssignmentDurationInSeconds": 3600,
            "LifetimeInSeconds": 86400,
            "AutoApprovalDelayInSeconds": 259200,
            "Question": "<ExternalQuestion/>",
            "QualificationRequirements": [],
        },
    )
    assert turk.publish(ORDER) == HIT


def test_requirements_are_written_by_their_ids_and_hide_the_hit(stub, turk):
    """Built-in ones by MTurk's ids, private ones by the id found under the campaign's name."""
    order = msgspec.structs.replace(
        ORDER,
        requirements=(
            Requirement("locale", "In", ("US", "CA-QC")),
            Requirement("percent approved", "GreaterThanOrEqualTo", ("97",)),
            Requirement("masters", "Exists"),
            Requirement("done", "DoesNotExist"),
        ),
    )
    hidden = {"ActionsGuarded": "DiscoverPreviewAndAccept"}
    stub.add_response(
        "list_qualification_types",
        {"QualificationTypes": [{"Name": "photos: done it", "QualificationTypeId": "3OTHER"}]},
        {
            "Query": "photos: done",
            "MustBeRequestable": False,
            "MustBeOwnedByCaller": True,
            "MaxResults": 100,
        },
    )
    stub.add_response(
        "create_qualification_type",
        {"QualificationType": {"QualificationTypeId": "3DONE"}},
        {"Name": "photos: done", "Description": ANY, "QualificationTypeStatus": "Active"},
    )
    written = [
        {
            "QualificationTypeId": "00000000000000000071",
            "Comparator": "In",
            "LocaleValues": [{"Country": "US"}, {"Country": "CA", "Subdivision": "QC"}],
            **hidden,
        },
        {
            "QualificationTypeId": "000000000000000000L0",
            "Comparator": "GreaterThanOrEqualTo",
            "IntegerValues": [97],
            **hidden,
        },
        {"QualificationTypeId": mturk.MASTERS[False], "Comparator": "Exists", **hidden},
        {"QualificationTypeId": "3DONE", "Comparator": "DoesNotExist", **hidden},
    ]
    names = (
        "UniqueRequestToken", "RequesterAnnotation", "Title", "Description", "Keywords",
        "Reward", "MaxAssignments", "AssignmentDurationInSeconds", "LifetimeInSeconds",
        "AutoApprovalDelayInSeconds", "Question",
    )  # fmt: skip
    asked = dict.fromkeys(names, ANY)
    stub.add_response("create_hit", created(), {**asked, "QualificationRequirements": written})
    assert turk.publish(order) == HIT


def test_a_used_token_leads_to_the_hit_that_it_made(stub, turk):
    """Found by its annotation, on whichever page it stands."""
    request_error(stub, "create_hit", "HITAlreadyExists", "The HIT exists already")
    stub.add_response(
        "list_hits",
        {"HITs": [listed("3A", "pc-0")], "NextToken": "more"},
        {"MaxResults": 100},
    )
    stub.add_response(
        "list_hits", {"HITs": [listed(HIT, "pc-1")]}, {"MaxResults": 100, "NextToken": "more"}
    )
    with pytest.raises(AlreadyDoneError) as caught:
        turk.publish(ORDER)
    assert caught.value.id == HIT


def listed(hit: str, token: str) -> dict[str, Any]:
    return {
        "HITId": hit,
        "RequesterAnnotation": token,
        "Reward": "1.50",
        "MaxAssignments": 9,
        "HITStatus": "Assignable",
        "Expiration": AT,
        "NumberOfAssignmentsPending": 2,
        "NumberOfAssignmentsAvailable": 3,
    }


def test_postings_are_read_to_the_last_page(stub, turk):
    """Also when a page in the middle is empty."""
    stub.add_response("list_hits", {"HITs": [listed("3A", "t1")], "NextToken": "b"})
    stub.add_response("list_hits", {"HITs": [], "NextToken": "c"})
    stub.add_response("list_hits", {"HITs": [listed("3B", "t2")]})
    first, second = turk.postings()
    assert (first.id, second.id) == ("3A", "3B")
    assert (first.pending, first.available, first.open) == (2, 3, True)
    assert first.reward == Decimal("1.50")
    assert first.expires_at == AT.timestamp()


def test_submissions_are_read_with_their_code_and_deadline(stub, turk):
    """The worker's answers come as XML in an assignment."""
    answer = (
        '<?xml version="1.0"?><QuestionFormAnswers xmlns="http://mechanicalturk.amazonaws.com/AWS'
        'MechanicalTurkDataSchemas/2005-10-01/QuestionFormAnswers.xsd"><Answer>'
        "<QuestionIdentifier>code</QuestionIdentifier><FreeText> AB&amp;C </FreeText></Answer>"
        "</QuestionFormAnswers>"
    )
    stub.add_response(
        "list_assignments_for_hit",
        {
            "Assignments": [
                {
                    "AssignmentId": "3AS",
                    "HITId": HIT,
                    "WorkerId": "A1",
                    "AssignmentStatus": "Submitted",
                    "SubmitTime": AT,
                    "AutoApprovalTime": AT + datetime.timedelta(days=3),
                    "Answer": answer,
                }
            ]
        },
        {
            "HITId": HIT,
            "AssignmentStatuses": ["Submitted", "Approved", "Rejected"],
            "MaxResults": 100,
        },
    )
    (one,) = turk.submissions(HIT)
    assert (one.id, one.worker, one.state) == ("3AS", "A1", "submitted")
    assert one.answers == {"code": "AB&C"}
    assert one.approved_by_itself_at == AT.timestamp() + 3 * 86400


@pytest.mark.parametrize("xml", ["", "code", "<a", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'])
def test_answers_that_are_none_are_read_as_none(xml):
    """Nothing that a worker hands in stops a review."""
    assert read_answers(xml) == {}


def test_extending_again_adds_nothing_and_still_sets_the_time(stub, turk):
    """A crash between the two calls leaves no posting without its time."""
    request_error(
        stub,
        "create_additional_assignments_for_hit",
        "RequestAlreadyProcessed",
        'The idempotency token "pc-2" has already been processed.',
    )
    stub.add_response("get_hit", created(Expiration=AT - datetime.timedelta(days=1)))
    stub.add_response(
        "update_expiration_for_hit",
        {},
        {"HITId": HIT, "ExpireAt": AT + datetime.timedelta(hours=1)},
    )
    turk.extend(HIT, assignments=3, seconds=3600, token="pc-2")


def test_expiring_twice_is_expiring_once(stub, turk):
    """The live service refuses the repeated call by its own token."""
    stub.add_response("update_expiration_for_hit", {}, {"HITId": HIT, "ExpireAt": ANY})
    request_error(
        stub,
        "update_expiration_for_hit",
        "RequestAlreadyProcessed",
        f'The idempotency token "{HIT}Tue Jan 05" has already been processed. (1626172412406)',
    )
    turk.expire(HIT)
    turk.expire(HIT)


def test_a_decision_that_stands_already_is_no_failure(stub, turk):
    """And one that contradicts another says which."""
    for _ in range(2):
        request_error(stub, "approve_assignment", "InvalidAssignmentState", "Not submitted")
        state = "Approved" if _ == 0 else "Rejected"
        stub.add_response("get_assignment", {"Assignment": {"AssignmentStatus": state}})
    turk.approve("3AS")
    with pytest.raises(RecruiterError, match="the assignment is rejected"):
        turk.approve("3AS")


def test_approvals_and_rejections_carry_what_the_worker_reads(stub, turk):
    """An empty message is not sent at all."""
    stub.add_response("approve_assignment", {}, {"AssignmentId": "3", "OverrideRejection": False})
    stub.add_response(
        "approve_assignment",
        {},
        {"AssignmentId": "3", "OverrideRejection": True, "RequesterFeedback": "Sorry!"},
    )
    stub.add_response("reject_assignment", {}, {"AssignmentId": "3", "RequesterFeedback": "Why"})
    turk.approve("3")
    turk.approve("3", message="Sorry!", override=True)
    turk.reject("3", reason="Why")


def test_a_bonus_is_sent_with_its_token_and_listed_as_it_stands_in_the_books(stub, turk):
    """Amounts are text with two places, never floats."""
    stub.add_response(
        "send_bonus",
        {},
        {
            "WorkerId": "A1",
            "AssignmentId": "3AS",
            "BonusAmount": "0.10",
            "Reason": "for waiting",
            "UniqueRequestToken": "pc-3",
        },
    )
    request_error(
        stub,
        "send_bonus",
        "RequestAlreadyProcessed",
        'The idempotency token "pc-3" has already been processed.',
    )
    bonus = {
        "AssignmentId": "3AS",
        "WorkerId": "A1",
        "BonusAmount": "0.10",
        "Reason": "for waiting",
        "GrantTime": AT,
    }
    stub.add_response(
        "list_bonus_payments", {"BonusPayments": [bonus]}, {"HITId": HIT, "MaxResults": 100}
    )
    dime = {"worker": "A1", "submission": "3AS", "amount": Decimal("0.1"), "reason": "for waiting"}
    turk.bonus(**dime, token="pc-3")
    with pytest.raises(AlreadyDoneError):
        turk.bonus(**dime, token="pc-3")
    (paid,) = turk.bonuses(HIT)
    assert (paid.posting, paid.amount, paid.at) == (HIT, Decimal("0.10"), AT.timestamp())


def test_a_qualification_is_given_without_a_mail_and_taken_away_again(stub, turk):
    """Its id is asked for once; who does not have it is no failure."""
    found = {"QualificationTypes": [{"Name": "photos: done", "QualificationTypeId": "3DONE"}]}
    stub.add_response("list_qualification_types", found)
    mine = {"QualificationTypeId": "3DONE", "WorkerId": "A1"}
    stub.add_response(
        "associate_qualification_with_worker",
        {},
        {**mine, "IntegerValue": 1, "SendNotification": False},
    )
    stub.add_response("disassociate_qualification_from_worker", {}, mine)
    request_error(
        stub, "disassociate_qualification_from_worker", "InvalidQualificationState", "Granted"
    )
    turk.qualify("done", "A1", 1)
    turk.qualify("done", "A1", None)
    turk.qualify("done", "A1", None)


def test_workers_are_written_to_by_the_hundred(stub, turk):
    """Those who cannot be reached are named."""
    workers = [f"A{number}" for number in range(101)]
    text = {"Subject": "s", "MessageText": "t"}
    stub.add_response(
        "notify_workers",
        {"NotifyWorkersFailureStatuses": [{"WorkerId": "A7"}]},
        {**text, "WorkerIds": workers[:100]},
    )
    stub.add_response("notify_workers", {}, {**text, "WorkerIds": ["A100"]})
    assert turk.notify(workers, subject="s", text="t") == ("A7",)


def test_the_balance_is_exact(stub, turk):
    """As MTurk writes it."""
    stub.add_response("get_account_balance", {"AvailableBalance": "10000.07"})
    assert turk.balance() == Decimal("10000.07")
