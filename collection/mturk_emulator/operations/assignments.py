"""Operations on assignments: what workers handed in, approved or rejected, and bonuses."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Row

from collection.mturk_emulator.fees import bonus_fee, from_cents, to_cents
from collection.mturk_emulator.lifecycle import approve, hold, post
from collection.mturk_emulator.operations import hits as hit_operations
from collection.mturk_emulator.operations.workers import known_worker
from collection.mturk_emulator.paging import listed, page
from collection.mturk_emulator.refusals import does_not_exist, invalid_value, wrong_state
from collection.mturk_emulator.tables import assignments, bonuses, hits
from collection.mturk_emulator.tokens import refuse_repeat, remember
from collection.mturk_emulator.turn import Turn, present

OVERRIDE_SECONDS = 30 * 86_400  # how long after the submission a rejection can be turned back
HANDED_IN = ("Submitted", "Approved", "Rejected")
MAX_BONUS = 1_000_000  # cents
MAX_FEEDBACK_CHARS = 1_024
_NOT_IN_FEEDBACK = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")

Request = dict[str, Any]


def list_assignments(turn: Turn, request: Request) -> dict[str, Any]:
    """ListAssignmentsForHIT: what was handed in, of the statuses asked for."""
    hit_operations.found(turn, request["HITId"], disposed=True)
    statuses = request.get("AssignmentStatuses") or HANDED_IN
    statement = sa.select(assignments).where(
        assignments.c.hit == request["HITId"], assignments.c.status.in_(statuses)
    )
    rows, token = page(turn, statement, assignments.c.seq, request)
    return listed("Assignments", [_shown(row) for row in rows], token)


def get_assignment(turn: Turn, request: Request) -> dict[str, Any]:
    """GetAssignment: with its HIT."""
    row = _found(turn, request["AssignmentId"])
    if row.status not in HANDED_IN:
        raise wrong_state("Assignment", "Reviewable,Approved,Rejected")
    hit = hit_operations.found(turn, row.hit, disposed=True)
    return {"Assignment": _shown(row), "HIT": hit_operations.shown(turn, hit)}


def approve_assignment(turn: Turn, request: Request) -> dict[str, Any]:
    """ApproveAssignment: pays reward and fee once; OverrideRejection turns a rejection back."""
    row = _found(turn, request["AssignmentId"])
    feedback = _feedback(request)
    if row.status == "Approved" and not turn.rules.refuse_repeats:
        return {}
    if row.status == "Rejected" and request.get("OverrideRejection", False):
        hit = hit_operations.found(turn, row.hit, disposed=True)
        if hit.disposed or turn.now - row.submitted_at > OVERRIDE_SECONDS:
            raise wrong_state("Assignment", "Submitted")
    elif row.status != "Submitted":
        raise wrong_state("Assignment", "Submitted" if row.status in HANDED_IN else "null")
    approve(turn, row, at=turn.now, feedback=feedback)
    return {}


def reject_assignment(turn: Turn, request: Request) -> dict[str, Any]:
    """RejectAssignment: releases what was held for it."""
    row = _found(turn, request["AssignmentId"])
    feedback = _feedback(request)
    if row.status == "Rejected" and not turn.rules.refuse_repeats:
        return {}
    if row.status != "Submitted":
        raise wrong_state("Assignment", "Submitted" if row.status in HANDED_IN else "null")
    turn.change(
        assignments,
        row,
        status="Rejected",
        rejected_at=turn.now,
        feedback=feedback,
    )
    hold(turn, row.hit)
    return {}


def send_bonus(turn: Turn, request: Request) -> dict[str, Any]:
    """SendBonus: only to the worker who handed in the assignment; a token pays once a day."""
    refuse_repeat(turn, "bonus", request)
    amount = to_cents(request["BonusAmount"])
    if not 1 <= amount <= MAX_BONUS:
        raise invalid_value("BonusAmount", request["BonusAmount"])
    known_worker(turn, request["WorkerId"])
    row = _found(turn, request["AssignmentId"])
    if row.status not in HANDED_IN:
        raise does_not_exist("Assignment", row.id)
    if row.worker != request["WorkerId"]:
        raise invalid_value(
            "WorkerId", request["WorkerId"], f"Assignment {row.id} is another worker's."
        )
    fee = bonus_fee(amount)
    post(
        turn,
        "bonus",
        hit=row.hit,
        assignment=row.id,
        worker=row.worker,
        available=-(amount + fee),
        paid=amount,
        fees=fee,
    )
    turn.add(
        bonuses,
        assignment=row.id,
        hit=row.hit,
        worker=row.worker,
        amount=amount,
        fee=fee,
        reason=request["Reason"],
        at=turn.now,
    )
    remember(turn, "bonus", request, turn.call)
    return {}


def list_bonus_payments(turn: Turn, request: Request) -> dict[str, Any]:
    """ListBonusPayments: of a HIT or of an assignment."""
    hit, assignment = request.get("HITId"), request.get("AssignmentId")
    statement = sa.select(bonuses)
    if assignment:
        statement = statement.where(bonuses.c.assignment == _found(turn, assignment).id)
    elif hit:
        if turn.find(hits, id=hit) is None:
            raise does_not_exist("HIT", hit)
        statement = statement.where(bonuses.c.hit == hit)
    else:
        raise invalid_value("HITId", "", "Either it or an AssignmentId must be given.")
    rows, token = page(turn, statement, bonuses.c.seq, request)
    payments = [
        {
            "WorkerId": row.worker,
            "BonusAmount": from_cents(row.amount),
            "AssignmentId": row.assignment,
            "Reason": row.reason,
            "GrantTime": int(row.at),
        }
        for row in rows
    ]
    return listed("BonusPayments", payments, token)


def _found(turn: Turn, assignment_id: str) -> Row[Any]:
    row = turn.find(assignments, id=assignment_id)
    if row is None:
        raise does_not_exist("Assignment", assignment_id)
    return row


def _feedback(request: Request) -> str | None:
    feedback: str | None = request.get("RequesterFeedback")
    if feedback is not None and len(feedback) > MAX_FEEDBACK_CHARS:
        why = f"It has more than {MAX_FEEDBACK_CHARS:,} characters."
        raise invalid_value("RequesterFeedback", "...", why)
    if feedback is not None and _NOT_IN_FEEDBACK.search(feedback):
        raise invalid_value("RequesterFeedback", "...", "It has a control character.")
    return feedback


def _shown(row: Row[Any]) -> dict[str, Any]:
    return present(
        {
            "AssignmentId": row.id,
            "WorkerId": row.worker,
            "HITId": row.hit,
            "AssignmentStatus": row.status,
            "AutoApprovalTime": _seconds(row.auto_approval_at),
            "AcceptTime": _seconds(row.accepted_at),
            "SubmitTime": _seconds(row.submitted_at),
            "ApprovalTime": _seconds(row.approved_at),
            "RejectionTime": _seconds(row.rejected_at),
            "Deadline": _seconds(row.deadline),
            "Answer": row.answer,
            "RequesterFeedback": row.feedback,
        }
    )


def _seconds(time: float | None) -> int | None:
    return None if time is None else int(time)
