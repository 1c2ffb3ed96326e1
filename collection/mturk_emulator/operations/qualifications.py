"""Operations on qualification types, and on who has them."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Row

from collection.mturk_emulator import qualifying
from collection.mturk_emulator.operations.workers import known_worker
from collection.mturk_emulator.paging import listed, page
from collection.mturk_emulator.questions import QuestionError, check_answer_key, parse_question
from collection.mturk_emulator.refusals import (
    does_not_exist,
    invalid_value,
    request_error,
    wrong_state,
)
from collection.mturk_emulator.tables import (
    qualification_requests,
    qualification_types,
    qualifications,
)
from collection.mturk_emulator.turn import Turn, new_id, present

KEYS = (
    "Name", "Keywords", "Description", "QualificationTypeStatus", "RetryDelayInSeconds", "Test",
    "AnswerKey", "TestDurationInSeconds", "AutoGranted", "AutoGrantedValue",
)  # fmt: skip

Request = dict[str, Any]


def create_qualification_type(turn: Turn, request: Request) -> dict[str, Any]:
    """CreateQualificationType: names are unique among those that exist."""
    name = request["Name"]
    if turn.find(qualification_types, name=name, deleted=False) is not None:
        raise request_error(
            "QualificationTypeAlreadyExists",
            "You have already created a QualificationType with this name. A QualificationType's "
            "name must be unique among all of the QualificationTypes created by the same user.",
        )
    values = present({key: request.get(key) for key in KEYS})
    _check(values)
    turn.add(
        qualification_types,
        id=new_id(),
        name=name,
        properties=json.dumps(values),
        created_at=turn.now,
        deleted=False,
    )
    row = turn.find(qualification_types, name=name, deleted=False)
    assert row is not None
    return {"QualificationType": _shown(row)}


def get_qualification_type(turn: Turn, request: Request) -> dict[str, Any]:
    """GetQualificationType: ours or the system's."""
    type_id = request["QualificationTypeId"]
    if type_id in qualifying.SYSTEM_TYPES:
        return {"QualificationType": _system_type(type_id)}
    return {"QualificationType": _shown(ours(turn, type_id))}


def update_qualification_type(turn: Turn, request: Request) -> dict[str, Any]:
    """UpdateQualificationType: a new test without an answer key has none."""
    row = ours(turn, request["QualificationTypeId"])
    before = json.loads(row.properties)
    given = present({key: request.get(key) for key in KEYS if key != "Name"})
    if "AnswerKey" in given and "Test" not in given:
        raise invalid_value("AnswerKey", "...", "It goes with a Test.")
    if "Test" in given:
        before.pop("AnswerKey", None)
    values = {**before, **given}
    _check(values)
    changed = turn.change(qualification_types, row, properties=json.dumps(values))
    return {"QualificationType": _shown(changed)}


def delete_qualification_type(turn: Turn, request: Request) -> dict[str, Any]:
    """DeleteQualificationType: pending requests are rejected; what workers have stays."""
    row = ours(turn, request["QualificationTypeId"])
    turn.change(qualification_types, row, deleted=True)
    turn.connection.execute(
        qualification_requests.update()
        .where(
            qualification_requests.c.type == row.id, qualification_requests.c.status == "Pending"
        )
        .values(status="Rejected")
    )
    return {}


def list_qualification_types(turn: Turn, request: Request) -> dict[str, Any]:
    """ListQualificationTypes: ours, and the system's where those are asked for."""
    query = (request.get("Query") or "").lower()
    shown = [_shown(row) for row in turn.all(sa.select(qualification_types).where(_exists()))]
    fitting = [
        each["QualificationTypeId"]
        for each in shown
        if query in " ".join((each["Name"], each["Description"], each.get("Keywords", ""))).lower()
        and (each["IsRequestable"] or not request["MustBeRequestable"])
    ]
    rows, token = page(
        turn,
        sa.select(qualification_types).where(qualification_types.c.id.in_(fitting)),
        qualification_types.c.seq,
        request,
    )
    items = [_shown(row) for row in rows]
    wants_system = not request["MustBeRequestable"] and not request.get("MustBeOwnedByCaller")
    if wants_system and token is None:
        items += [
            _system_type(type_id)
            for type_id, name in qualifying.SYSTEM_TYPES.items()
            if query in name.lower()
        ]
    return listed("QualificationTypes", items, token)


def associate(turn: Turn, request: Request) -> dict[str, Any]:
    """AssociateQualificationWithWorker: the value is 1 if none is given; an old one is replaced."""
    row = ours(turn, request["QualificationTypeId"])
    worker = known_worker(turn, request["WorkerId"])
    grant(turn, row.id, worker.id, request.get("IntegerValue", 1))
    return {}


def disassociate(turn: Turn, request: Request) -> dict[str, Any]:
    """DisassociateQualificationFromWorker."""
    held = _held(turn, request["QualificationTypeId"], request["WorkerId"])
    turn.change(qualifications, held, status="Revoked")
    return {}


def get_qualification_score(turn: Turn, request: Request) -> dict[str, Any]:
    """GetQualificationScore: of one who has it."""
    held = _held(turn, request["QualificationTypeId"], request["WorkerId"])
    return {"Qualification": _shown_held(held)}


def list_workers_with_qualification_type(turn: Turn, request: Request) -> dict[str, Any]:
    """ListWorkersWithQualificationType: Granted unless Revoked is asked for."""
    row = ours(turn, request["QualificationTypeId"])
    statement = sa.select(qualifications).where(
        qualifications.c.type == row.id,
        qualifications.c.status == request.get("Status", "Granted"),
    )
    rows, token = page(turn, statement, qualifications.c.seq, request)
    return listed("Qualifications", [_shown_held(each) for each in rows], token)


def list_qualification_requests(turn: Turn, request: Request) -> dict[str, Any]:
    """ListQualificationRequests: those not decided yet."""
    statement = sa.select(qualification_requests).where(
        qualification_requests.c.status == "Pending"
    )
    if type_id := request.get("QualificationTypeId"):
        statement = statement.where(qualification_requests.c.type == ours(turn, type_id).id)
    rows, token = page(turn, statement, qualification_requests.c.seq, request)
    items = [
        present(
            {
                "QualificationRequestId": row.id,
                "QualificationTypeId": row.type,
                "WorkerId": row.worker,
                "Test": row.test,
                "Answer": row.answer,
                "SubmitTime": int(row.submitted_at),
            }
        )
        for row in rows
    ]
    return listed("QualificationRequests", items, token)


def accept_qualification_request(turn: Turn, request: Request) -> dict[str, Any]:
    """AcceptQualificationRequest: grants it, with a value or 1."""
    row = _pending(turn, request)
    turn.change(qualification_requests, row, status="Granted")
    grant(turn, row.type, row.worker, request.get("IntegerValue", 1))
    return {}


def reject_qualification_request(turn: Turn, request: Request) -> dict[str, Any]:
    """RejectQualificationRequest: the worker reads the reason."""
    row = _pending(turn, request)
    turn.change(qualification_requests, row, status="Rejected", reason=request.get("Reason"))
    return {}


def ours(turn: Turn, type_id: str) -> Row[Any]:
    """Return a qualification type of the requester.

    Raises:
        Refused: there is none with this id.
    """
    row = turn.find(qualification_types, id=type_id, deleted=False)
    if row is None:
        raise does_not_exist("QualificationType", type_id)
    return row


def grant(turn: Turn, type_id: str, worker: str, value: int) -> None:
    """Give a worker a qualification, whatever they had of it before."""
    turn.remove(qualifications, type=type_id, worker=worker)
    turn.add(
        qualifications,
        type=type_id,
        worker=worker,
        value=value,
        status="Granted",
        granted_at=turn.now,
    )


def _exists() -> sa.ColumnElement[bool]:
    return ~qualification_types.c.deleted


def _held(turn: Turn, type_id: str, worker: str) -> Row[Any]:
    ours(turn, type_id)
    row = turn.find(qualifications, type=type_id, worker=worker)
    if row is None:
        raise request_error(
            "QualificationDoesNotExist", "You requested a Qualification that does not exist."
        )
    if row.status != "Granted":
        raise wrong_state("Qualification", "Granted")
    return row


def _pending(turn: Turn, request: Request) -> Row[Any]:
    request_id = request["QualificationRequestId"]
    row = turn.find(qualification_requests, id=request_id)
    if row is None:
        raise does_not_exist("QualificationRequest", request_id)
    if row.status != "Pending":
        raise wrong_state("QualificationRequest", "Submitted")
    return row


def _check(values: dict[str, Any]) -> None:
    """Check what belongs together: test, its duration, its key, granting without a test."""
    if values.get("AutoGranted") and "Test" in values:
        raise invalid_value("AutoGranted", "true", "A type with a Test cannot be AutoGranted.")
    if "AnswerKey" in values and "Test" not in values:
        raise invalid_value("AnswerKey", "...", "It goes with a Test.")
    if "Test" in values and "TestDurationInSeconds" not in values:
        raise invalid_value("TestDurationInSeconds", "", "A Test needs it.")
    try:
        if "Test" in values and parse_question(values["Test"]).kind != "form":
            raise QuestionError("it is not a QuestionForm")
        if "AnswerKey" in values:
            check_answer_key(values["AnswerKey"])
    except QuestionError as error:
        raise request_error(
            "XMLParseError", f"The Test or AnswerKey cannot be used: {error}."
        ) from error


def _shown(row: Row[Any]) -> dict[str, Any]:
    values = json.loads(row.properties)
    return {
        "QualificationTypeId": row.id,
        "CreationTime": int(row.created_at),
        **values,
        "IsRequestable": True,
        "AutoGranted": values.get("AutoGranted", False),
    }


def _system_type(type_id: str) -> dict[str, Any]:
    return {
        "QualificationTypeId": type_id,
        "CreationTime": 0,
        "Name": qualifying.SYSTEM_TYPES[type_id],
        "Description": "Kept by the platform.",
        "QualificationTypeStatus": "Active",
        "IsRequestable": False,
        "AutoGranted": False,
    }


def _shown_held(row: Row[Any]) -> dict[str, Any]:
    return {
        "QualificationTypeId": row.type,
        "WorkerId": row.worker,
        "GrantTime": int(row.granted_at),
        "IntegerValue": row.value,
        "Status": row.status,
    }
