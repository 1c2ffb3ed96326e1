"""Whatever is sent, the emulator answers or refuses; it never fails itself."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collection.mturk_emulator.books import Books
from collection.mturk_emulator.operations import OPERATIONS
from collection.mturk_emulator.qualifying import LOCALE, PERCENT_APPROVED
from collection.mturk_emulator.server import create_app
from collection.mturk_emulator.service_model import service_model
from tests.collection.mturk_emulator.forms import ANSWER_KEY, PAGE, TEST
from tests.collection.mturk_emulator.rehearsal import START, TASK

HEADERS = {
    "Authorization": (
        "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/mturk-requester/aws4_request, "
        f"SignedHeaders=host, Signature={'0' * 64}"
    )
}
XML = st.sampled_from([TASK, PAGE, TEST, ANSWER_KEY, "<a/>", "<", ""])
AMOUNT = st.sampled_from(["0.01", "2", "0.00", "3.333"])
# What mostly fits, by the member's name; ids come from the scene.
FITTING = {
    "Question": st.just(TASK),
    "Test": st.just(TEST),
    "AnswerKey": st.just(ANSWER_KEY),
    "Reward": AMOUNT,
    "BonusAmount": AMOUNT,
    "UniqueRequestToken": st.sampled_from("ab"),
    "NextToken": st.just("YWZ0ZXIgMQ=="),
    "MaxResults": st.integers(1, 100),
    "Country": st.just("US"),
    "Subdivision": st.just("TX"),
    "ExpireAt": st.floats(START - 100, START + 10_000),
    "WorkerIds": st.just(["AONE"]),
}
UNLIKELY = ("HITLayoutId", "HITLayoutParameters", "AssignmentReviewPolicy", "HITReviewPolicy")


def values(shape, ids, name=""):
    """Draw a JSON value that mostly fits a shape."""
    if shape.type_name == "structure":
        members = {
            key: values(each, ids, key)
            for key, each in shape.members.items()
            if key not in UNLIKELY
        }
        needed = {key: members.pop(key) for key in shape.required_members}
        return st.fixed_dictionaries(needed, optional=members)
    wild = {
        "string": st.text(max_size=20) | XML,
        "boolean": st.booleans(),
        "timestamp": st.floats(allow_nan=False, allow_infinity=False),
    }.get(shape.type_name, st.integers())
    if shape.type_name == "list":
        wild = st.lists(values(shape.member, ids), max_size=3)
    if "enum" in shape.metadata:
        return st.sampled_from(shape.metadata["enum"])
    fitting = FITTING.get(name)
    if name in ids:
        fitting = st.sampled_from(ids[name])
    elif name.endswith("InSeconds"):
        fitting = st.sampled_from([60, 3_600])
    elif fitting is None and shape.type_name in ("integer", "long"):
        fitting = st.integers(0, 12)
    elif fitting is None and shape.type_name == "string":
        fitting = st.text("abc", min_size=1, max_size=4)
    if fitting is None:
        return wild
    return st.integers(0, 15).flatmap(lambda drawn: wild if drawn == 7 else fitting)


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """An application with something of everything in its books, and their ids."""
    books = Books(tmp_path_factory.mktemp("fuzz") / "b.db", balance=10**9, stands_at=START)
    browser = create_app(books).test_client()

    def call(operation, body):
        target = f"MTurkRequesterServiceV20170117.{operation}"
        return browser.post("/", data=body, headers={**HEADERS, "X-Amz-Target": target})

    def worker(path, **body):
        return browser.post(f"/_emulator/workers/AONE/{path}", json=body).json

    wish = {
        "Title": "t", "Description": "d", "Reward": "1", "Question": TASK, "MaxAssignments": 5,
        "LifetimeInSeconds": 3_600, "AssignmentDurationInSeconds": 600,
    }  # fmt: skip
    hit = call("CreateHIT", json.dumps(wish)).get_json(force=True)["HIT"]
    kind = {"Name": "n", "Description": "d", "QualificationTypeStatus": "Active"}
    made = call("CreateQualificationType", json.dumps(kind)).get_json(force=True)
    qualification = made["QualificationType"]["QualificationTypeId"]
    work = worker("accept", hit=hit["HITId"])["id"]
    worker("submit", assignment=work, answers={"a": "b"})
    worker("qualification-requests", qualification=qualification)
    waiting = call("ListQualificationRequests", "{}").get_json(force=True)
    asked = waiting["QualificationRequests"][0]["QualificationRequestId"]
    ids = {
        "HITId": [hit["HITId"]], "HITTypeId": [hit["HITTypeId"]], "AssignmentId": [work],
        "QualificationTypeId": [qualification, LOCALE, PERCENT_APPROVED],
        "QualificationRequestId": [asked], "WorkerId": ["AONE"],
    }  # fmt: skip
    yield call, ids
    books.close()


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_every_call_is_answered_or_refused(scene, data):
    call, ids = scene
    operation = data.draw(st.sampled_from(sorted(OPERATIONS)))
    shape = service_model().operation_model(operation).input_shape
    answer = call(operation, json.dumps(data.draw(values(shape, ids))))
    body = json.loads(answer.data)
    assert answer.status_code == 200 or (answer.status_code == 400 and body["__type"]), body


@pytest.mark.parametrize(
    "body",
    [b"\xff", b'"', b"NaN", b'{"HITId": Infinity}', b'{"HITId": "\\ud800"}', b"[" * 100_000, b"1"],
)
def test_what_is_no_json_object_is_refused(scene, body):
    answer = scene[0]("GetHIT", body)
    assert answer.status_code == 400
    assert json.loads(answer.data)["__type"] in ("SerializationException", "ValidationException")
