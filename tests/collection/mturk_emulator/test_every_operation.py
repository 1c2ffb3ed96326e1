"""Every operation that is served, called with real boto3; the answers pass botocore's own model."""

from collection.mturk_emulator.operations import OPERATIONS
from tests.collection.mturk_emulator.forms import ANSWER_KEY, TEST
from tests.collection.mturk_emulator.rehearsal import TASK, order


def test_a_campaign_that_uses_every_operation(mturk):
    api = mturk.api
    walk_qualifications(mturk, api)
    walk_hits(mturk, api)
    walk_workers(mturk, api)
    assert {call["operation"] for call in mturk.control("calls")} == set(OPERATIONS)
    assert {call["outcome"] for call in mturk.control("calls")} == {"done"}


def walk_qualifications(mturk, api):
    made = api.create_qualification_type(
        Name="Trained",
        Description="Knows the rules",
        QualificationTypeStatus="Active",
        RetryDelayInSeconds=60,
        Test=TEST,
        AnswerKey=ANSWER_KEY,
        TestDurationInSeconds=600,
    )["QualificationType"]
    trained = made["QualificationTypeId"]
    assert made["IsRequestable"]
    assert made["QualificationTypeStatus"] == "Active"
    answer = api.get_qualification_type(QualificationTypeId=trained)
    assert answer["QualificationType"] == made

    worker = mturk.worker("AWALK")
    asked = {"qualification": trained, "answers": {"who": ["friends"]}}
    assert mturk.control("workers/AWALK/qualification-requests", asked) == {"status": "Granted"}
    score = api.get_qualification_score(QualificationTypeId=trained, WorkerId=worker)
    assert score["Qualification"]["IntegerValue"] == 100

    manual = api.create_qualification_type(
        Name="Done it", Description="Has taken part", QualificationTypeStatus="Active"
    )["QualificationType"]["QualificationTypeId"]
    names = [
        each["Name"]
        for each in api.list_qualification_types(
            Query="trained", MustBeRequestable=False, MustBeOwnedByCaller=True
        )["QualificationTypes"]
    ]
    assert names == ["Trained"]
    updated = api.update_qualification_type(
        QualificationTypeId=manual, Description="Has taken part once", RetryDelayInSeconds=1
    )["QualificationType"]
    assert (updated["Name"], updated["Description"]) == ("Done it", "Has taken part once")
    for answer in (api.accept_qualification_request, api.reject_qualification_request):
        mturk.control("workers/AWALK/qualification-requests", {"qualification": manual})
        [waiting] = api.list_qualification_requests()["QualificationRequests"]
        answer(QualificationRequestId=waiting["QualificationRequestId"])
        mturk.advance(1)
    assert api.list_qualification_requests()["NumResults"] == 0
    api.associate_qualification_with_worker(
        QualificationTypeId=manual, WorkerId=worker, IntegerValue=7
    )
    [held] = api.list_workers_with_qualification_type(QualificationTypeId=manual)["Qualifications"]
    assert (held["WorkerId"], held["IntegerValue"], held["Status"]) == (worker, 7, "Granted")
    api.disassociate_qualification_from_worker(QualificationTypeId=manual, WorkerId=worker)
    revoked = api.list_workers_with_qualification_type(QualificationTypeId=manual, Status="Revoked")
    assert revoked["NumResults"] == 1
    hit = mturk.create(
        QualificationRequirements=[{"QualificationTypeId": trained, "Comparator": "Exists"}]
    )
    [using] = api.list_hits_for_qualification_type(QualificationTypeId=trained)["HITs"]
    assert using["HITId"] == hit
    api.delete_qualification_type(QualificationTypeId=manual)


def walk_hits(mturk, api):
    fields = order()
    of_type = {
        name: fields[name]
        for name in ("Title", "Description", "Keywords", "Reward", "AssignmentDurationInSeconds")
    }
    hit_type = api.create_hit_type(**of_type)["HITTypeId"]
    assert api.create_hit_type(**of_type)["HITTypeId"] == hit_type
    hit = api.create_hit_with_hit_type(
        HITTypeId=hit_type, LifetimeInSeconds=3600, Question=TASK, RequesterAnnotation="run 1"
    )["HIT"]
    assert (hit["HITTypeId"], hit["RequesterAnnotation"]) == (hit_type, "run 1")
    assert api.get_hit(HITId=hit["HITId"])["HIT"] == hit
    api.create_additional_assignments_for_hit(HITId=hit["HITId"], NumberOfAdditionalAssignments=1)
    first, second = (mturk.work(hit["HITId"], worker) for worker in ("AWALK", "AOTHER"))
    assert api.list_reviewable_hits(HITTypeId=hit_type)["HITs"][0]["HITId"] == hit["HITId"]
    api.update_hit_review_status(HITId=hit["HITId"])
    assert api.get_hit(HITId=hit["HITId"])["HIT"]["HITStatus"] == "Reviewing"
    api.approve_assignment(AssignmentId=first, RequesterFeedback="thanks")
    api.reject_assignment(AssignmentId=second, RequesterFeedback="no photo was shared")
    got = api.get_assignment(AssignmentId=first)
    assert got["Assignment"]["AssignmentStatus"] == "Approved"
    assert got["HIT"]["HITId"] == hit["HITId"]
    rejected = api.list_assignments_for_hit(HITId=hit["HITId"], AssignmentStatuses=["Rejected"])
    assert [each["AssignmentId"] for each in rejected["Assignments"]] == [second]
    api.send_bonus(WorkerId="AWALK", AssignmentId=first, BonusAmount="0.25", Reason="well done")
    [bonus] = api.list_bonus_payments(HITId=hit["HITId"])["BonusPayments"]
    assert (bonus["BonusAmount"], bonus["Reason"]) == ("0.25", "well done")
    api.update_expiration_for_hit(HITId=hit["HITId"], ExpireAt=0)
    api.delete_hit(HITId=hit["HITId"])
    assert hit["HITId"] not in [each["HITId"] for each in api.list_hits()["HITs"]]
    # 100 in all; a HIT of 1.20 is held; 1.20 and 0.25 + 0.05 are spent.
    assert api.get_account_balance()["AvailableBalance"] == "97.30"


def walk_workers(mturk, api):
    told = api.notify_workers(
        Subject="Thanks", MessageText="See you", WorkerIds=["AWALK", "AUNKNOWN"]
    )["NotifyWorkersFailureStatuses"]
    assert [each["WorkerId"] for each in told] == ["AUNKNOWN"]
    assert mturk.control("workers/AWALK")["messages"][0]["subject"] == "Thanks"
    api.create_worker_block(WorkerId="AWALK", Reason="a test")
    assert api.list_worker_blocks()["WorkerBlocks"] == [{"WorkerId": "AWALK", "Reason": "a test"}]
    api.delete_worker_block(WorkerId="AWALK")
    assert api.list_worker_blocks()["NumResults"] == 0
