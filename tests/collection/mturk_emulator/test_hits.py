"""HITs: tokens, bounds, extension, expiry, review, pages, questions."""

import pytest

from tests.collection.mturk_emulator.forms import PAGE, TEST
from tests.collection.mturk_emulator.rehearsal import EXTERNAL, START, TASK, order, rehearsal

DAY = 86_400


def test_a_token_makes_one_hit_for_a_day(mturk):
    hit = mturk.create(UniqueRequestToken="pc-1")
    kind, code, sentence = mturk.refused("create_hit", **order(UniqueRequestToken="pc-1"))
    assert (kind, code) == ("RequestError", "HitAlreadyExists")
    assert hit in sentence
    mturk.advance(DAY - 1)
    assert mturk.refused("create_hit", **order(UniqueRequestToken="pc-1"))[1] == "HitAlreadyExists"
    mturk.advance(1)
    assert mturk.create(UniqueRequestToken="pc-1") != hit


def test_a_refused_hit_leaves_its_token_unused(mturk):
    wish = order(UniqueRequestToken="pc-1", Reward="100.00")
    assert mturk.refused("create_hit", **wish)[1] == "InsufficientFunds"
    assert mturk.create(UniqueRequestToken="pc-1")
    assert len(mturk.control("books")["hits"]) == 1


def test_an_extension_is_carried_out_once_for_its_token(mturk):
    wish = {"HITId": mturk.create(), "NumberOfAdditionalAssignments": 2}
    mturk.api.create_additional_assignments_for_hit(**wish, UniqueRequestToken="e")
    refused = mturk.refused("create_additional_assignments_for_hit", **wish, UniqueRequestToken="e")
    assert refused[:2] == ("RequestError", "DuplicateRequest")
    assert mturk.api.get_hit(HITId=wish["HITId"])["HIT"]["MaxAssignments"] == 3


@pytest.mark.parametrize(("before", "more", "works"), [(8, 1, True), (9, 1, False), (10, 1, True)])
def test_fewer_than_ten_assignments_never_become_ten(mturk, before, more, works):
    hit = mturk.create(MaxAssignments=before, Reward="0.10")
    wish = {"HITId": hit, "NumberOfAdditionalAssignments": more}
    if works:
        mturk.api.create_additional_assignments_for_hit(**wish)
        assert mturk.api.get_hit(HITId=hit)["HIT"]["NumberOfAssignmentsAvailable"] == before + more
    else:
        refused = mturk.refused("create_additional_assignments_for_hit", **wish)
        assert refused[1] == "InvalidMaximumAssignmentsIncrease"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"LifetimeInSeconds": 29}, "ParameterValidationError"),
        ({"LifetimeInSeconds": 31_536_001}, "ParameterValidationError"),
        ({"AssignmentDurationInSeconds": 29}, "ParameterValidationError"),
        ({"AutoApprovalDelayInSeconds": 2_592_001}, "ParameterValidationError"),
        ({"MaxAssignments": 0}, "ParameterValidationError"),
        ({"Title": "t" * 129}, "ParameterValidationError"),
        ({"RequesterAnnotation": "t" * 256}, "ParameterValidationError"),
        ({"Reward": "1.005"}, "ValidationException"),
        ({"UniqueRequestToken": "t" * 65}, "ValidationException"),
        ({"Question": ""}, "ParameterValidationError"),
        ({"HITLayoutId": "LAYOUT"}, "RequestError"),
        ({"QualificationRequirements": [{"QualificationTypeId": "NONE", "Comparator": "Exists"}]},
         "RequestError"),
        ({"QualificationRequirements": [
            {"QualificationTypeId": "000000000000000000L0", "Comparator": "EqualTo"}]},
         "ParameterValidationError"),
        ({"QualificationRequirements": [
            {"QualificationTypeId": "000000000000000000L0", "Comparator": "Exists"}] * 11},
         "ParameterValidationError"),
    ],
)  # fmt: skip
def test_what_is_out_of_bounds_is_refused_and_costs_nothing(unchanged, values, code):
    assert unchanged.refused("create_hit", **order(**values))[0] == code
    assert unchanged.money()["available"] == 10_000


@pytest.mark.parametrize(
    ("question", "why"),
    [
        (EXTERNAL.format(url="http://127.0.0.1:8000/join"), "must begin with https"),
        (TASK.replace("<FrameHeight>0</FrameHeight>", ""), "FrameHeight"),
        (TASK.replace(">0<", ">tall<"), "FrameHeight is not a number"),
        (TASK.replace("2006-07-14/", ""), "not in its namespace"),
        (TASK.replace("&amp;", "&"), "not well-formed"),
        ("<!DOCTYPE x>" + TASK, "document type declaration"),
        (PAGE.replace("Is it", "Is it" + " really" * 10_000), "more than 65,535 bytes"),
        ("<Question/>", "namespace"),
    ],
)
def test_a_question_that_the_platform_would_not_take_is_refused(unchanged, question, why):
    kind, code, sentence = unchanged.refused("create_hit", **order(Question=question))
    assert (kind, code) == ("RequestError", "XMLParseError")
    assert why in sentence


def test_pages_and_forms_are_questions_too_and_http_where_it_is_allowed(tmp_path):
    with rehearsal(tmp_path / "b.db", allow_http=True) as mturk:
        for question in (PAGE, TEST, EXTERNAL.format(url="http://127.0.0.1:8000/join")):
            assert mturk.create(Question=question)


def test_lists_come_in_pages_that_what_is_added_meanwhile_does_not_shift(mturk):
    made = [mturk.create(Reward="0.01") for _ in range(23)]
    first = mturk.api.list_hits()
    assert first["NumResults"] == 10
    mturk.create(Reward="0.01")
    rest = mturk.api.list_hits(NextToken=first["NextToken"], MaxResults=13)
    seen = [hit["HITId"] for hit in first["HITs"] + rest["HITs"]]
    assert seen == made[::-1]
    # A full page has a token, as nobody has looked whether more follows.
    assert mturk.api.list_hits(NextToken=rest["NextToken"])["HITs"] == []
    pages = mturk.api.get_paginator("list_hits").paginate(PaginationConfig={"PageSize": 5})
    assert len(list(pages.search("HITs[]"))) == 24
    assert mturk.refused("list_hits", MaxResults=101)[0] == "ValidationException"
    assert mturk.refused("list_hits", NextToken="x")[0] == "ParameterValidationError"


def test_a_hits_status_follows_its_assignments_and_its_expiry(mturk):
    def status():
        shown = mturk.api.get_hit(HITId=hit)["HIT"]
        names = ("Pending", "Available", "Completed")
        return shown["HITStatus"], [shown[f"NumberOfAssignments{name}"] for name in names]

    hit = mturk.create(MaxAssignments=2)
    assert status() == ("Assignable", [0, 2, 0])
    first = mturk.accept(mturk.worker("AONE"), hit)
    second = mturk.accept(mturk.worker("ATWO"), hit)
    assert status() == ("Unassignable", [2, 0, 0])
    mturk.submit("AONE", first)
    mturk.control("workers/ATWO/return", {"assignment": second})
    assert status() == ("Assignable", [0, 1, 0])
    mturk.advance(3600)
    assert status() == ("Reviewable", [0, 0, 0])
    mturk.api.approve_assignment(AssignmentId=first)
    assert status() == ("Reviewable", [0, 0, 1])
    mturk.api.update_expiration_for_hit(HITId=hit, ExpireAt=START + 7200)
    assert status() == ("Assignable", [0, 1, 1])
    mturk.advance(120 * DAY + 3600)
    assert status() == ("Disposed", [0, 0, 1])


def test_a_hit_with_undecided_work_cannot_be_deleted(mturk):
    hit = mturk.create()
    assert mturk.refused("delete_hit", HITId=hit)[1] == "InvalidHITState"
    work = mturk.work(hit)
    assert mturk.refused("delete_hit", HITId=hit)[1] == "InvalidAssignmentState"
    mturk.api.approve_assignment(AssignmentId=work)
    mturk.api.delete_hit(HITId=hit)
    mturk.api.delete_hit(HITId=hit)
    extension = {"HITId": hit, "NumberOfAdditionalAssignments": 1}
    assert mturk.refused("create_additional_assignments_for_hit", **extension)[1] == (
        "InvalidHITState"
    )


def test_nothing_is_found_under_an_unknown_id(unchanged):
    for operation, id, code in (
        ("get_hit", {"HITId": "X"}, "HITDoesNotExist"),
        ("list_assignments_for_hit", {"HITId": "X"}, "HITDoesNotExist"),
        ("approve_assignment", {"AssignmentId": "X"}, "AssignmentDoesNotExist"),
        ("get_qualification_type", {"QualificationTypeId": "X"}, "QualificationTypeDoesNotExist"),
    ):
        kind, found, sentence = unchanged.refused(operation, **id)
        assert (kind, found) == ("RequestError", code)
        assert " X does not exist. (" in sentence
