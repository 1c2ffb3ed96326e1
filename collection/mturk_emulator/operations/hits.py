"""Operations on HITs and their types."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Row

from collection.mturk_emulator import qualifying
from collection.mturk_emulator.fees import MANY_ASSIGNMENTS, from_cents, reward_fee, to_cents
from collection.mturk_emulator.lifecycle import available, counts, hold, status_of
from collection.mturk_emulator.paging import listed, page
from collection.mturk_emulator.questions import QuestionError, parse_question
from collection.mturk_emulator.refusals import (
    does_not_exist,
    invalid_value,
    request_error,
    wrong_state,
)
from collection.mturk_emulator.tables import hit_types, hits, qualification_types
from collection.mturk_emulator.tokens import refuse_repeat, remember, used_before
from collection.mturk_emulator.turn import Turn, new_id, present

# https://docs.aws.amazon.com/AWSMechTurk/latest/AWSMturkAPI/ApiReference_CreateHITOperation.html
SECONDS = {
    "LifetimeInSeconds": (30, 31_536_000),
    "AssignmentDurationInSeconds": (30, 31_536_000),
    "AutoApprovalDelayInSeconds": (0, 2_592_000),
}
CHARS = {"Title": 128, "Description": 2_000, "Keywords": 1_000, "RequesterAnnotation": 255}
DEFAULT_AUTO_APPROVAL_SECONDS = 2_592_000
MAX_ASSIGNMENTS = 1_000_000_000
TYPE_KEYS = (
    "Title", "Description", "Keywords", "AssignmentDurationInSeconds",
    "AutoApprovalDelayInSeconds", "QualificationRequirements",
)  # fmt: skip
NOT_EMULATED = ("AssignmentReviewPolicy", "HITReviewPolicy", "HITLayoutParameters")

Request = dict[str, Any]


def create_hit_type(turn: Turn, request: Request) -> dict[str, Any]:
    """CreateHITType: the same properties are the same type."""
    return {"HITTypeId": _hit_type(turn, request).id}


def create_hit(turn: Turn, request: Request) -> dict[str, Any]:
    """CreateHIT: the type and the HIT at once."""
    _refuse_known_hit(turn, request)
    return _create(turn, request, _hit_type(turn, request))


def create_hit_with_hit_type(turn: Turn, request: Request) -> dict[str, Any]:
    """CreateHITWithHITType."""
    _refuse_known_hit(turn, request)
    hit_type = turn.find(hit_types, id=request["HITTypeId"])
    if hit_type is None:
        raise does_not_exist("HITType", request["HITTypeId"])
    return _create(turn, request, hit_type)


def get_hit(turn: Turn, request: Request) -> dict[str, Any]:
    """GetHIT: also those that were disposed of."""
    return {"HIT": shown(turn, found(turn, request["HITId"], disposed=True))}


def list_hits(turn: Turn, request: Request) -> dict[str, Any]:
    """ListHITs: the newest first, without those that were disposed of."""
    rows, token = page(
        turn, sa.select(hits).where(~hits.c.disposed), hits.c.seq, request, newest_first=True
    )
    return listed("HITs", [shown(turn, row) for row in rows], token)


def list_reviewable_hits(turn: Turn, request: Request) -> dict[str, Any]:
    """ListReviewableHITs: by default those nobody has marked as being reviewed."""
    wanted = request.get("Status", "Reviewable")
    of_type = request.get("HITTypeId")
    statement = sa.select(hits).where(~hits.c.disposed)
    if of_type:
        statement = statement.where(hits.c.hit_type == of_type)
    # The status follows from the assignments; no column has it.
    fitting = [row.seq for row in turn.all(statement) if status(turn, row) == wanted]
    rows, token = page(turn, sa.select(hits).where(hits.c.seq.in_(fitting)), hits.c.seq, request)
    return listed("HITs", [shown(turn, row) for row in rows], token)


def list_hits_for_qualification_type(turn: Turn, request: Request) -> dict[str, Any]:
    """ListHITsForQualificationType."""
    needle = json.dumps({"QualificationTypeId": request["QualificationTypeId"]})[1:-1]
    statement = (
        sa.select(hits)
        .join(hit_types, hits.c.hit_type == hit_types.c.id)
        .where(~hits.c.disposed, hit_types.c.properties.contains(needle, autoescape=True))
    )
    rows, token = page(turn, statement, hits.c.seq, request)
    return listed("HITs", [shown(turn, row) for row in rows], token)


def create_additional_assignments(turn: Turn, request: Request) -> dict[str, Any]:
    """CreateAdditionalAssignmentsForHIT: from fewer than ten it never gets to ten."""
    refuse_repeat(turn, "extension", request)
    hit = found(turn, request["HITId"])
    more = request["NumberOfAdditionalAssignments"]
    total = hit.assignments + more
    if not 1 <= more <= MAX_ASSIGNMENTS:
        raise invalid_value("NumberOfAdditionalAssignments", more)
    if hit.assignments < MANY_ASSIGNMENTS <= total:
        raise request_error(
            "InvalidMaximumAssignmentsIncrease",
            f"A HIT created with fewer than {MANY_ASSIGNMENTS} assignments cannot be extended to "
            f"have {MANY_ASSIGNMENTS} or more: HIT {hit.id} would have {total}.",
        )
    turn.change(hits, hit, assignments=total, reviewing=False)
    hold(turn, hit.id)
    remember(turn, "extension", request, turn.call)
    return {}


def update_expiration(turn: Turn, request: Request) -> dict[str, Any]:
    """UpdateExpirationForHIT: a time that has passed ends it now; a later one opens it again.

    The live service takes HIT and time for a request token (Dallinger#3109); where repeats are to
    be refused, so does this.
    """
    hit = found(turn, request["HITId"])
    if turn.rules.refuse_repeats:
        own_token = {"UniqueRequestToken": f"{hit.id} {int(request['ExpireAt'])}"}
        refuse_repeat(turn, "expiration", own_token)
        remember(turn, "expiration", own_token, turn.call)
    at = max(float(request["ExpireAt"]), turn.now)
    if at > turn.now + SECONDS["LifetimeInSeconds"][1]:
        raise invalid_value("ExpireAt", request["ExpireAt"], "It is more than a year from now.")
    turn.change(hits, hit, expires_at=at, open=at > turn.now, reviewing=False)
    hold(turn, hit.id)
    return {}


def update_review_status(turn: Turn, request: Request) -> dict[str, Any]:
    """UpdateHITReviewStatus: from Reviewable to Reviewing, or back with Revert."""
    hit = found(turn, request["HITId"])
    revert = request.get("Revert", False)
    needed = "Reviewing" if revert else "Reviewable"
    if status(turn, hit) != needed:
        raise wrong_state("HIT", needed)
    turn.change(hits, hit, reviewing=not revert)
    return {}


def delete_hit(turn: Turn, request: Request) -> dict[str, Any]:
    """DeleteHIT: only a HIT under review with everything submitted decided; repeating is safe."""
    hit = found(turn, request["HITId"], disposed=True)
    if hit.disposed:
        return {}
    if status(turn, hit) not in ("Reviewable", "Reviewing"):
        raise wrong_state("HIT", "Reviewable,Reviewing")
    if counts(turn, hit.id)["Submitted"]:
        raise wrong_state("Assignment", "Approved,Rejected")
    turn.change(hits, hit, disposed=True)
    return {}


def found(turn: Turn, hit_id: str, *, disposed: bool = False) -> Row[Any]:
    """Return a HIT.

    Raises:
        Refused: there is none, or it was disposed of.
    """
    hit = turn.find(hits, id=hit_id)
    if hit is None:
        raise does_not_exist("HIT", hit_id)
    if hit.disposed and not disposed:
        raise wrong_state("HIT", "Assignable,Unassignable,Reviewable,Reviewing")
    return hit


def status(turn: Turn, hit: Row[Any]) -> str:
    """Return a HIT's status."""
    return status_of(hit, counts(turn, hit.id), turn.now)


def properties(turn: Turn, hit: Row[Any]) -> dict[str, Any]:
    """Return what a HIT has from its type: title, requirements, ..., and `reward` in cents."""
    row = turn.connection.execute(sa.select(hit_types).where(hit_types.c.id == hit.hit_type)).one()
    return {**json.loads(row.properties), "reward": row.reward}


def shown(turn: Turn, hit: Row[Any]) -> dict[str, Any]:
    """Return a HIT as the API shows it."""
    number = counts(turn, hit.id)
    of_type = properties(turn, hit)
    return present(
        {
            "HITId": hit.id,
            "HITTypeId": hit.hit_type,
            "HITGroupId": _digest("group", hit.hit_type),
            "CreationTime": int(hit.created_at),
            "Question": hit.question,
            "HITStatus": status_of(hit, number, turn.now),
            "MaxAssignments": hit.assignments,
            "Reward": from_cents(of_type.pop("reward")),
            "Expiration": int(hit.expires_at),
            "RequesterAnnotation": hit.annotation,
            "HITReviewStatus": "NotReviewed",
            "NumberOfAssignmentsPending": number["Accepted"],
            "NumberOfAssignmentsAvailable": available(hit, number, turn.now),
            "NumberOfAssignmentsCompleted": number["Approved"] + number["Rejected"],
            **of_type,
        }
    )


def _hit_type(turn: Turn, request: Request) -> Row[Any]:
    _check_bounds(request)
    requirements = request.get("QualificationRequirements") or []
    _check_requirements(turn, requirements)
    values = {
        **present({key: request.get(key) for key in TYPE_KEYS}),
        "AutoApprovalDelayInSeconds": request.get(
            "AutoApprovalDelayInSeconds", DEFAULT_AUTO_APPROVAL_SECONDS
        ),
        "QualificationRequirements": requirements,
    }
    text, reward = json.dumps(values, sort_keys=True), to_cents(request["Reward"])
    type_id = _digest("type", str(reward), text)
    known = turn.find(hit_types, id=type_id)
    if known is None:
        turn.add(hit_types, id=type_id, reward=reward, properties=text)
        known = turn.find(hit_types, id=type_id)
        assert known is not None
    return known


def _create(turn: Turn, request: Request, hit_type: Row[Any]) -> dict[str, Any]:
    _check_bounds(request)
    number = request.get("MaxAssignments", 1)
    if not 1 <= number <= MAX_ASSIGNMENTS:
        raise invalid_value("MaxAssignments", number)
    question = _question(turn, request)
    requirements = json.loads(hit_type.properties)["QualificationRequirements"]
    is_masters = any(each["QualificationTypeId"] in qualifying.MASTERS for each in requirements)
    hit_id = new_id()
    turn.add(
        hits,
        id=hit_id,
        hit_type=hit_type.id,
        question=question,
        annotation=request.get("RequesterAnnotation"),
        assignments=number,
        created_at=turn.now,
        expires_at=turn.now + request["LifetimeInSeconds"],
        open=True,
        fee=reward_fee(hit_type.reward, number, masters=is_masters),
        held=0,
    )
    hold(turn, hit_id)
    remember(turn, "hit", request, hit_id)
    return {"HIT": shown(turn, found(turn, hit_id))}


def _refuse_known_hit(turn: Turn, request: Request) -> None:
    if (known := used_before(turn, "hit", request)) is not None:
        raise request_error(
            "HitAlreadyExists", f"A HIT with this UniqueRequestToken exists already: {known}."
        )


def _question(turn: Turn, request: Request) -> str:
    for name in NOT_EMULATED:
        if request.get(name):
            raise invalid_value(name, "...", "The emulator does not serve it.")
    if layout := request.get("HITLayoutId"):
        raise does_not_exist("HITLayout", layout)
    question = request.get("Question")
    if not question:
        raise invalid_value("Question", "", "Either it or a HITLayoutId must be given.")
    try:
        parse_question(question, allow_http=turn.rules.allow_http)
    except QuestionError as error:
        raise request_error("XMLParseError", f"The Question cannot be used: {error}.") from error
    return str(question)


def _check_bounds(request: Request) -> None:
    for name, (least, most) in SECONDS.items():
        if name in request and not least <= request[name] <= most:
            raise invalid_value(name, request[name], f"It must be from {least} to {most}.")
    for name, most in CHARS.items():
        if len(request.get(name) or "") > most:
            raise invalid_value(name, "...", f"It has more than {most} characters.")


def _check_requirements(turn: Turn, requirements: list[dict[str, Any]]) -> None:
    name = "QualificationRequirements"
    if len(requirements) > qualifying.MAX_REQUIREMENTS:
        raise invalid_value(name, "...", f"At most {qualifying.MAX_REQUIREMENTS} can be given.")
    for each in requirements:
        type_id = each["QualificationTypeId"]
        ours = turn.find(qualification_types, id=type_id, deleted=False)
        if ours is None and type_id not in qualifying.SYSTEM_TYPES:
            raise does_not_exist("QualificationType", type_id)
        if why := qualifying.problem(each):
            raise invalid_value(name, type_id, f"{why}.")


def _digest(*parts: str) -> str:
    number = int.from_bytes(hashlib.sha256("\0".join(parts).encode()).digest(), "big")
    return "3" + format(number, "X")[:29].rjust(29, "0")
