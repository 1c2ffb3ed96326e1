"""What workers may do, and what they may not."""

import pytest

from tests.collection.mturk_emulator.forms import ANSWER_KEY, TEST


def test_a_worker_finds_accepts_and_hands_in_once(mturk):
    hit, worker = mturk.create(MaxAssignments=2), mturk.worker()
    assert [each["hit"] for each in mturk.control(f"workers/{worker}/hits")] == [hit]
    got = mturk.control(f"workers/{worker}/accept", {"hit": hit})
    assert got["frame"] == (
        "https://chat.example.org/join/demo?a=1&b=2"
        f"&assignmentId={got['id']}&hitId={hit}&workerId={worker}"
        f"&turkSubmitTo={mturk.url.replace(':', '%3A').replace('/', '%2F')}"
    )
    assert mturk.control(f"workers/{worker}/hits") == []
    assert "at it" in mturk.control(f"workers/{worker}/accept", {"hit": hit})["error"]
    assert mturk.submit(worker, got["id"], code="é|<1>")["status"] == "Submitted"
    assert "submitted" in mturk.submit(worker, got["id"])["error"]
    [shown] = mturk.api.list_assignments_for_hit(HITId=hit)["Assignments"]
    assert "<FreeText>&#233;|&lt;1&gt;</FreeText>" in shown["Answer"]


def test_abandoned_and_returned_work_can_be_accepted_by_the_next(mturk):
    hit = mturk.create()
    left = mturk.accept(mturk.worker("ALATE"), hit)
    assert "no more" in mturk.control("workers/ANEXT/accept", {"hit": hit})["error"]
    mturk.advance(600)
    assert "abandoned" in mturk.submit("ALATE", left)["error"]
    back = mturk.accept(mturk.worker("ANEXT"), hit)
    assert "own" in mturk.control("workers/ALATE/return", {"assignment": back})["error"]
    mturk.control("workers/ANEXT/return", {"assignment": back})
    assert mturk.accept("ALATE", hit)
    assert mturk.money()["held"] == 120


def test_an_expired_hit_lets_those_at_work_finish_and_nobody_in(mturk):
    hit = mturk.create(MaxAssignments=2)
    work = mturk.accept(mturk.worker(), hit)
    mturk.api.update_expiration_for_hit(HITId=hit, ExpireAt=0)
    assert mturk.money()["held"] == 120
    assert "no more" in mturk.control("workers/ATWO/accept", {"hit": hit})["error"]
    assert mturk.submit("AWORKER1", work)["status"] == "Submitted"


def test_what_is_returned_or_abandoned_after_the_expiry_costs_nothing_any_more(mturk):
    hit = mturk.create(MaxAssignments=2)
    returned, _ = (mturk.accept(worker, hit) for worker in ("AONE", "ATWO"))
    mturk.api.update_expiration_for_hit(HITId=hit, ExpireAt=0)
    mturk.control("workers/AONE/return", {"assignment": returned})
    assert mturk.money()["held"] == 120
    mturk.advance(600)
    assert mturk.money()["held"] == 0


def test_an_old_hit_stays_until_its_last_work_is_decided(mturk):
    day = 86_400
    hit = mturk.create(AssignmentDurationInSeconds=365 * day, AutoApprovalDelayInSeconds=30 * day)
    work = mturk.accept("AONE", hit)
    mturk.advance(119 * day)
    mturk.submit("AONE", work)
    mturk.advance(20 * day)
    assert mturk.money()["held"] == 120
    assert mturk.api.get_hit(HITId=hit)["HIT"]["HITStatus"] == "Reviewable"
    mturk.advance(20 * day)
    assert mturk.money()["paid"] == 100
    assert mturk.api.get_hit(HITId=hit)["HIT"]["HITStatus"] == "Disposed"


def test_a_blocked_worker_finds_nothing(mturk):
    hit, worker = mturk.create(), mturk.worker()
    mturk.api.create_worker_block(WorkerId=worker, Reason="x")
    assert mturk.control(f"workers/{worker}/hits") == []
    assert "blocked" in mturk.control(f"workers/{worker}/accept", {"hit": hit})["error"]
    assert mturk.refused("create_worker_block", WorkerId="ANOBODY", Reason="x")[0] == (
        "ParameterValidationError"
    )


@pytest.mark.parametrize(
    ("requirement", "fits"),
    [
        (("00000000000000000071", "EqualTo", {"Country": "US"}), "us tx"),
        (("00000000000000000071", "EqualTo", {"Country": "US", "Subdivision": "TX"}), "tx"),
        (("00000000000000000071", "NotIn", {"Country": "US"}), "de"),
        (("000000000000000000L0", "GreaterThanOrEqualTo", 95), "us de"),
        (("00000000000000000040", "LessThan", 10), "tx"),
        (("00000000000000000060", "EqualTo", 1), "us tx"),
        (("2F1QJWKUDD8XADTFD2Q0G6UTO95ALH", "Exists", None), "us"),
        (("2F1QJWKUDD8XADTFD2Q0G6UTO95ALH", "DoesNotExist", None), "tx de"),
    ],
)
def test_only_who_meets_a_requirement_can_accept(mturk, requirement, fits):
    type_id, comparator, value = requirement
    name = "LocaleValues" if isinstance(value, dict) else "IntegerValues"
    wanted = {"QualificationTypeId": type_id, "Comparator": comparator}
    hit = mturk.create(
        MaxAssignments=3,
        Reward="0.01",
        QualificationRequirements=[wanted if value is None else {**wanted, name: [value]}],
    )
    mturk.worker("AUS", masters=True)
    mturk.worker("ATX", subdivision="TX", percent_approved=90, number_approved=9)
    mturk.worker("ADE", country="DE", adult=False)
    able = [
        name.lower()
        for name in ("US", "TX", "DE")
        if "id" in mturk.control(f"workers/A{name}/accept", {"hit": hit})
    ]
    assert able == fits.split()


@pytest.mark.parametrize(
    ("guarded", "finds", "previews"),
    [("Accept", True, True), ("PreviewAndAccept", True, False),
     ("DiscoverPreviewAndAccept", False, False)],
)  # fmt: skip
def test_a_guard_hides_as_much_as_it_says(mturk, guarded, finds, previews):
    import urllib.error
    import urllib.request

    made = mturk.api.create_qualification_type(
        Name="Done it", Description="-", QualificationTypeStatus="Active"
    )["QualificationType"]["QualificationTypeId"]
    rule = {"QualificationTypeId": made, "Comparator": "Exists", "ActionsGuarded": guarded}
    hit, worker = mturk.create(QualificationRequirements=[rule]), mturk.worker()
    assert bool(mturk.control(f"workers/{worker}/hits")) == finds
    try:
        page = urllib.request.urlopen(f"{mturk.url}/worker/{worker}/hits/{hit}").read().decode()
    except urllib.error.HTTPError as error:
        page = error.read().decode()
    assert ("assignmentId=ASSIGNMENT_ID_NOT_AVAILABLE" in page) == previews
    assert "missing" in mturk.control(f"workers/{worker}/accept", {"hit": hit})["error"]
    mturk.api.associate_qualification_with_worker(QualificationTypeId=made, WorkerId=worker)
    assert mturk.accept(worker, hit)


def test_a_test_is_graded_by_its_key_and_can_be_taken_again_after_its_delay(mturk):
    made = mturk.api.create_qualification_type(
        Name="Trained", Description="-", QualificationTypeStatus="Active", Test=TEST,
        AnswerKey=ANSWER_KEY, TestDurationInSeconds=60, RetryDelayInSeconds=3600,
    )["QualificationType"]["QualificationTypeId"]  # fmt: skip

    def take(answer):
        body = {"qualification": made, "answers": {"who": [answer]}}
        return mturk.control("workers/AONE/qualification-requests", body)

    def value():
        score = mturk.api.get_qualification_score(QualificationTypeId=made, WorkerId="AONE")
        return score["Qualification"]["IntegerValue"]

    assert mturk.refused(
        "get_qualification_score", QualificationTypeId=made, WorkerId=mturk.worker("AONE")
    )[1] == "QualificationDoesNotExist"  # fmt: skip
    assert take("clerk") == {"status": "Granted"}
    assert value() == 0
    assert "asked for again in 3600 s" in take("friends")["error"]
    mturk.advance(3600)
    take("friends")
    assert value() == 100
    mturk.api.disassociate_qualification_from_worker(QualificationTypeId=made, WorkerId="AONE")
    assert mturk.refused(
        "get_qualification_score", QualificationTypeId=made, WorkerId="AONE"
    )[1] == "InvalidQualificationState"  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"Test": TEST},
        {"AnswerKey": ANSWER_KEY},
        {"Test": TEST, "TestDurationInSeconds": 60, "AutoGranted": True},
        {"Test": ANSWER_KEY, "TestDurationInSeconds": 60},
        {"Test": TEST, "TestDurationInSeconds": 60,
         "AnswerKey": ANSWER_KEY.replace("<MaximumSummedScore>2", "<MaximumSummedScore>0")},
        {"Name": "Taken"},
    ],
)  # fmt: skip
def test_a_qualification_that_makes_no_sense_is_refused(mturk, change):
    good = {"Name": "Taken", "Description": "-", "QualificationTypeStatus": "Active"}
    mturk.api.create_qualification_type(**good)
    mturk.refused("create_qualification_type", **{**good, "Name": "Trained", **change})
    owned = mturk.api.list_qualification_types(MustBeRequestable=False, MustBeOwnedByCaller=True)
    assert owned["NumResults"] == 1


def test_workers_must_have_an_id_in_the_platforms_form(mturk):
    assert "worker id" in mturk.control("workers", {"id": "ann"})["error"]
    assert "worker id" in mturk.control("workers/a'b/hits")["error"]
