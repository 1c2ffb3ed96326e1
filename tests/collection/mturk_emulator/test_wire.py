"""What stands before the operations: signatures, checks of shape, failures on demand, the clock."""

import json
import time
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from collection.mturk_emulator.signature import Key
from tests.collection.mturk_emulator.rehearsal import START, client, order, rehearsal


def post(url, target, body, authorization=None):
    """Post to the API by hand; return the status and the decoded answer."""
    request = urllib.request.Request(url, body, {"X-Amz-Target": target})
    if authorization:
        request.add_header("Authorization", authorization)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


SIGNED = (
    "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/mturk-requester/aws4_request, "
    f"SignedHeaders=host;x-amz-date, Signature={'0' * 64}"
)
TARGET = "MTurkRequesterServiceV20170117."


@pytest.mark.parametrize(
    ("operation", "body", "says"),
    [
        ("GetHIT", {}, "1 validation error detected: Value null at 'hITId' failed to satisfy "
         "constraint: Member must not be null"),
        ("GetHIT", {"HITId": "lower"}, "regular expression pattern: ^[A-Z0-9]+$"),
        ("GetHIT", {"HITId": 5}, "Member must be of type string"),
        ("GetHIT", {"HITId": "A" * 65}, "length less than or equal to 64"),
        ("GetHIT", {"HITId": "A", "Colour": "red"}, "Member is not known"),
        ("ListHITs", {"MaxResults": 0}, "value greater than or equal to 1"),
        ("ListHITs", {"MaxResults": True}, "Member must be of type integer"),
        ("ListReviewableHITs", {"Status": "Done"}, "enum value set: [Reviewable, Reviewing]"),
        ("NotifyWorkers", {"Subject": "s", "MessageText": "t", "WorkerIds": ["A1", "b"]},
         "Value 'b' at 'workerIds.2.member'"),
        ("NotifyWorkers", [], "Member must be of type structure"),
    ],
)  # fmt: skip
def test_a_request_that_botocores_model_does_not_allow_is_refused(unchanged, operation, body, says):
    status, answer = post(unchanged.url, TARGET + operation, json.dumps(body).encode(), SIGNED)
    assert (status, answer["__type"]) == (400, "ValidationException")
    assert says in answer["message"]


@pytest.mark.parametrize(
    ("target", "body", "kind"),
    [
        (TARGET + "GetHIT", b"{", "SerializationException"),
        (TARGET + "GetHITs", b"{}", "UnknownOperationException"),
        ("Other.GetHIT", b"{}", "UnknownOperationException"),
        (TARGET + "GetFileUploadURL", b"{}", "RequestError"),
    ],
)
def test_what_is_no_call_is_refused(unchanged, target, body, kind):
    status, answer = post(unchanged.url, target, body, SIGNED)
    assert (status, answer["__type"]) == (400, kind)


def test_an_operation_that_is_not_served_says_so(unchanged):
    kind, code, sentence = unchanged.refused(
        "update_hit_type_of_hit", HITId="A", HITTypeId="B"
    )  # fmt: skip
    assert (kind, code) == ("RequestError", "OperationNotEmulated")
    assert "does not serve UpdateHITTypeOfHIT" in sentence


@pytest.mark.parametrize(
    ("authorization", "kind"),
    [
        (None, "MissingAuthenticationTokenException"),
        ("AWS4-HMAC-SHA256 Credential=x", "IncompleteSignatureException"),
        (SIGNED.replace("us-east-1", "eu-west-1"), "InvalidSignatureException"),
        (SIGNED.replace("mturk-requester", "s3"), "InvalidSignatureException"),
    ],
)
def test_a_call_without_a_proper_signature_is_refused(mturk, authorization, kind):
    status, answer = post(mturk.url, TARGET + "GetAccountBalance", b"{}", authorization)
    assert (status, answer["__type"]) == (400, kind)
    assert mturk.control("calls") == []


def test_only_the_right_key_and_secret_are_accepted_where_they_are_set(tmp_path):
    with rehearsal(tmp_path / "b.db", key=Key("AKIDREHEARSAL", "secret")) as mturk:
        assert mturk.api.get_account_balance()["AvailableBalance"] == "100.00"
        mturk.create(Title="Ein Gespräch über ein Foto")
        for options, code in (
            ({"aws_access_key_id": "AKIDOTHER"}, "UnrecognizedClientException"),
            ({"aws_secret_access_key": "wrong"}, "InvalidSignatureException"),
            ({"region_name": "eu-west-1"}, "InvalidSignatureException"),
        ):
            other = client(mturk.url, **options)
            with pytest.raises(other.exceptions.ClientError) as error:
                other.get_account_balance()
            assert error.value.response["Error"]["Code"] == code


@pytest.mark.parametrize(
    ("kind", "code", "done"),
    [
        ("throttle", "ThrottlingException", False),
        ("fail_before", "ServiceFault", False),
        ("fail_after", "ServiceFault", True),
        ("cut_before", None, False),
        ("cut_after", None, True),
        ("refuse", "RequestError", False),
    ],
)
def test_a_fault_meets_the_call_it_is_for(mturk, kind, code, done):
    mturk.control("faults", {"kind": kind, "operation": "CreateHIT", "skip": 1})
    mturk.create()
    mturk.api.get_account_balance()
    if code is None:
        with pytest.raises(ConnectionClosedError):
            mturk.create()
    else:
        assert mturk.refused("create_hit", **order())[0] == code
    assert len(mturk.api.list_hits()["HITs"]) == 1 + done
    assert mturk.control("faults") == []
    mturk.create()


def test_boto3_tries_again_until_the_faults_are_over(mturk):
    for kind in ("throttle", "fail_before", "cut_before"):
        mturk.control("faults", {"kind": kind})
    patient = client(mturk.url, attempts=4)
    made = patient.create_hit(**order())
    assert made["ResponseMetadata"]["RetryAttempts"] == 3
    assert len(mturk.control("books")["hits"]) == 1


def test_a_delayed_call_is_carried_out_though_its_client_has_given_up(mturk):
    mturk.control("faults", {"kind": "delay", "seconds": 1})
    with pytest.raises(ReadTimeoutError):
        client(mturk.url, patience=0.2).create_hit(**order())
    while not mturk.control("books")["hits"]:
        time.sleep(0.1)


def test_faults_can_be_called_off_and_must_make_sense(mturk):
    mturk.control("faults", {"kind": "cut_after", "count": 5})
    assert mturk.control("faults", method="DELETE") == []
    assert "error" in mturk.control("faults", {"kind": "explode"})
    assert mturk.create()


def test_the_clock_stands_until_it_is_moved_and_never_goes_back(mturk):
    assert mturk.control("clock") == {"now": START}
    assert mturk.control("clock", {"set": "2027-01-16T08:00:00Z"}) == {"now": START + 86_400}
    assert "does not go back" in mturk.control("clock", {"advance": -1})["error"]
    assert "2100" in mturk.control("clock", {"advance": 1e300})["error"]
    assert "not a time" in mturk.control("clock", {"set": "tomorrow"})["error"]
    running = mturk.control("clock", {"advance": 10, "stands": False})["now"]
    assert START + 86_410 <= running <= mturk.control("clock")["now"]


def test_the_control_side_takes_nothing_that_another_sites_page_could_send(unchanged):
    request = urllib.request.Request(
        f"{unchanged.url}/_emulator/deposit", b'{"amount": "1"}', {"Content-Type": "text/plain"}
    )
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(request)
    assert error.value.code == 415


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("deposit", {"amount": "-5"}),
        ("deposit", {"amount": "1e9"}),
        ("faults", {"kind": "delay", "seconds": -1}),
        ("faults", {"kind": "throttle", "times": 3}),
        ("workers", {"id": "AONE", "percent_approved": 10**30}),
        ("workers", {"id": "AONE", "country": "Germany"}),
        ("workers/AONE/accept", {"hit": 5}),
        ("clock", []),
    ],
)
def test_the_control_side_says_what_it_does_not_understand(unchanged, path, body):
    assert "error" in unchanged.control(path, body)
