"""Assignments and bonuses: what is paid, when, to whom, and how often."""

import pytest

from tests.collection.mturk_emulator.rehearsal import order, rehearsal

DAY = 86_400


def test_approving_pays_reward_and_fee_once(mturk):
    work = mturk.work(mturk.create(MaxAssignments=2))
    assert mturk.money()["held"] == 240
    for _ in range(2):
        mturk.api.approve_assignment(AssignmentId=work)
    assert mturk.money() == {
        "deposited": 10_000, "available": 9_760, "held": 120, "paid": 100, "fees": 20
    }  # fmt: skip


def test_ten_assignments_cost_forty_percent(mturk):
    mturk.create(MaxAssignments=10)
    assert mturk.money()["held"] == 1_400


def test_rejecting_releases_the_money_and_an_override_pays_after_all(mturk):
    work = mturk.work(mturk.create())
    for _ in range(2):
        mturk.api.reject_assignment(AssignmentId=work, RequesterFeedback="nothing was shared")
    assert mturk.money()["available"] == 10_000
    assert mturk.refused("approve_assignment", AssignmentId=work)[1] == "InvalidAssignmentState"
    mturk.advance(30 * DAY)
    mturk.api.approve_assignment(AssignmentId=work, OverrideRejection=True)
    assert mturk.money()["paid"] == 100


def test_a_rejection_stands_after_thirty_days_or_when_the_hit_was_deleted(mturk):
    late, deleted = (mturk.create() for _ in range(2))
    works = [mturk.work(hit) for hit in (late, deleted)]
    for work in works:
        mturk.api.reject_assignment(AssignmentId=work, RequesterFeedback="no")
    mturk.api.delete_hit(HITId=deleted)
    override = {"OverrideRejection": True}
    assert mturk.refused("approve_assignment", AssignmentId=works[1], **override)[1] == (
        "InvalidAssignmentState"
    )
    mturk.advance(30 * DAY + 1)
    assert mturk.refused("approve_assignment", AssignmentId=works[0], **override)[1] == (
        "InvalidAssignmentState"
    )
    assert mturk.money()["available"] == 10_000


def test_approved_work_cannot_be_rejected(mturk):
    work = mturk.work(mturk.create())
    mturk.api.approve_assignment(AssignmentId=work)
    refused = mturk.refused("reject_assignment", AssignmentId=work, RequesterFeedback="no")
    assert refused[1] == "InvalidAssignmentState"


@pytest.mark.parametrize("text", ["x" * 1_025, "a bell \x07"])
def test_feedback_has_its_bounds(mturk, text):
    """1,024 characters, line ends among them."""
    work = {"AssignmentId": mturk.work(mturk.create())}
    for operation in ("approve_assignment", "reject_assignment"):
        kind, _, sentence = mturk.refused(operation, **work, RequesterFeedback=text)
        assert (kind, "RequesterFeedback" in sentence) == ("ParameterValidationError", True)
    mturk.api.reject_assignment(**work, RequesterFeedback="é\r\n" + "x" * 1_021)


def test_repeats_are_refused_where_that_is_asked_for(tmp_path):
    with rehearsal(tmp_path / "b.db", refuse_repeats=True) as mturk:
        work = mturk.work(mturk.create())
        mturk.api.approve_assignment(AssignmentId=work)
        _, code, sentence = mturk.refused("approve_assignment", AssignmentId=work)
        assert code == "InvalidAssignmentState"
        assert "can be called with a status of: Submitted" in sentence
        expiry = {"HITId": mturk.create(), "ExpireAt": 0}
        mturk.api.update_expiration_for_hit(**expiry)
        assert mturk.refused("update_expiration_for_hit", **expiry)[1] == "DuplicateRequest"
        assert mturk.money()["paid"] == 100


def test_work_is_approved_by_itself_when_its_delay_is_over(mturk):
    work = mturk.work(mturk.create(AutoApprovalDelayInSeconds=3 * DAY))
    mturk.advance(3 * DAY - 1)
    shown = mturk.api.get_assignment(AssignmentId=work)["Assignment"]
    assert shown["AssignmentStatus"] == "Submitted"
    mturk.advance(100 * DAY)
    after = mturk.api.get_assignment(AssignmentId=work)["Assignment"]
    assert after["AssignmentStatus"] == "Approved"
    assert after["ApprovalTime"] == shown["AutoApprovalTime"]
    assert mturk.money()["paid"] == 100


def test_a_bonus_is_paid_once_for_its_token_within_a_day(mturk):
    bonus = {
        "WorkerId": "AWORKER1", "AssignmentId": mturk.work(mturk.create()),
        "BonusAmount": "0.05", "Reason": "thanks",
    }  # fmt: skip
    mturk.api.send_bonus(**bonus, UniqueRequestToken="b")
    kind, code, sentence = mturk.refused("send_bonus", **bonus, UniqueRequestToken="b")
    assert (kind, code) == ("RequestError", "DuplicateRequest")
    assert mturk.control("calls")[-2]["id"] in sentence
    assert (mturk.money()["paid"], mturk.money()["fees"]) == (5, 1)
    mturk.advance(DAY)
    mturk.api.send_bonus(**bonus, UniqueRequestToken="b")
    assert mturk.money()["paid"] == 5 + 5 + 100  # the work was approved by itself meanwhile


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"WorkerId": "AOTHER"}, "ParameterValidationError"),
        ({"WorkerId": "ANOBODY"}, "ParameterValidationError"),
        ({"AssignmentId": "X"}, "RequestError"),
        ({"BonusAmount": "0.00"}, "ParameterValidationError"),
        ({"BonusAmount": "0.975"}, "ValidationException"),
        ({"BonusAmount": "90.00"}, "RequestError"),
    ],
)
def test_a_bonus_needs_the_workers_own_work_and_the_money(mturk, change, code):
    mturk.worker("AOTHER")
    bonus = {
        "WorkerId": "AWORKER1", "AssignmentId": mturk.work(mturk.create()),
        "BonusAmount": "0.05", "Reason": "thanks", **change,
    }  # fmt: skip
    before = mturk.money()
    assert mturk.refused("send_bonus", **bonus)[0] == code
    assert mturk.money() == before


def test_accepted_work_gets_no_bonus_and_no_approval_before_it_is_handed_in(mturk):
    worker = mturk.worker()
    work = mturk.accept(worker, mturk.create())
    bonus = {"WorkerId": worker, "AssignmentId": work, "BonusAmount": "1", "Reason": "x"}
    assert mturk.refused("send_bonus", **bonus)[1] == "AssignmentDoesNotExist"
    assert mturk.refused("approve_assignment", AssignmentId=work)[2].startswith(
        "This operation can be called with a status of: null"
    )


def test_a_hit_that_the_balance_does_not_cover_is_refused_until_money_comes(mturk):
    wish = order(Reward="41.67", MaxAssignments=2)  # 2 x (41.67 + 8.33) = 100.00
    mturk.create(**{**wish, "MaxAssignments": 1})
    assert mturk.refused("create_hit", **wish)[1] == "InsufficientFunds"
    assert mturk.control("deposit", {"amount": "50"}) == {"deposited": 5_000}
    mturk.api.create_hit(**wish)
    assert mturk.api.get_account_balance()["AvailableBalance"] == "0.00"
    assert mturk.api.get_account_balance()["OnHoldBalance"] == "150.00"


def test_pages_of_assignments_and_bonuses_go_to_the_end(mturk):
    hit = mturk.create(MaxAssignments=30, Reward="0.01")
    works = {f"AW{n}": mturk.work(hit, f"AW{n}") for n in range(25)}
    for worker, work in works.items():
        mturk.api.send_bonus(
            WorkerId=worker, AssignmentId=work, BonusAmount="0.01", Reason="thanks"
        )
    for name, key in (("list_assignments_for_hit", "Assignments"),
                      ("list_bonus_payments", "BonusPayments")):  # fmt: skip
        pages = list(mturk.api.get_paginator(name).paginate(
            HITId=hit, PaginationConfig={"PageSize": 10}))  # fmt: skip
        assert [page["NumResults"] for page in pages] == [10, 10, 5]
        seen = [each["AssignmentId"] for page in pages for each in page[key]]
        assert seen == list(works.values())
