"""What workers do: find, preview, accept, submit and return HITs, and ask for qualifications."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Row

from collection.mturk_emulator import qualifying
from collection.mturk_emulator.lifecycle import available, counts, hold
from collection.mturk_emulator.operations.hits import properties
from collection.mturk_emulator.operations.qualifications import grant
from collection.mturk_emulator.questions import Question, answers_xml, parse_question, score
from collection.mturk_emulator.service_model import service_model
from collection.mturk_emulator.tables import (
    assignments,
    blocks,
    hits,
    qualification_requests,
    qualification_types,
    qualifications,
    workers,
)
from collection.mturk_emulator.turn import Turn, new_id

Answers = Mapping[str, "str | Sequence[str]"]


class NotAllowed(Exception):
    """A worker cannot do this; the text says why."""


def enter(turn: Turn, worker_id: str, **facts: object) -> Row[Any]:
    """Return a worker; who was not here before is made: from the US, experienced, an adult.

    `facts` change what the platform knows: country, subdivision, percent_approved, number_approved,
    adult, masters.

    Raises:
        NotAllowed: this is no worker id.
    """
    shape = service_model().shape_for("CustomerId").metadata
    if len(worker_id) > shape["max"] or not re.fullmatch(shape["pattern"], worker_id):
        raise NotAllowed(
            "a worker id is an A and then capital letters and digits, at most 64 in all"
        )
    row = turn.find(workers, id=worker_id)
    if row is None:
        turn.add(
            workers,
            **{
                "id": worker_id,
                "country": "US",
                "percent_approved": 100,
                "number_approved": 1000,
                "adult": True,
                "masters": False,
                **facts,
            },
        )
    elif facts:
        turn.change(workers, row, **facts)
    row = turn.find(workers, id=worker_id)
    assert row is not None
    return row


def held_by(turn: Turn, worker: Row[Any]) -> dict[str, Any]:
    """Return what a worker has: the platform's own qualifications and the requester's."""
    locale = {"Country": worker.country}
    if worker.subdivision:
        locale["Subdivision"] = worker.subdivision
    granted = sa.and_(qualifications.c.worker == worker.id, qualifications.c.status == "Granted")
    return {
        qualifying.LOCALE: locale,
        qualifying.PERCENT_APPROVED: worker.percent_approved,
        qualifying.NUMBER_APPROVED: worker.number_approved,
        **({qualifying.ADULT: 1} if worker.adult else {}),
        **(dict.fromkeys(qualifying.MASTERS, 1) if worker.masters else {}),
        **{row.type: row.value for row in turn.all(sa.select(qualifications).where(granted))},
    }


def findable(turn: Turn, worker: Row[Any]) -> list[tuple[Row[Any], dict[str, Any]]]:
    """Return the HITs (with their properties) that a worker finds, the newest first."""
    if turn.find(blocks, worker=worker.id) is not None:
        return []
    held = held_by(turn, worker)
    mine = _hits_of(turn, worker)
    result = []
    for hit in turn.all(sa.select(hits).where(hits.c.open).order_by(hits.c.seq.desc())):
        of_type = properties(turn, hit)
        if (
            hit.id not in mine
            and available(hit, counts(turn, hit.id), turn.now)
            and qualifying.allowed(of_type["QualificationRequirements"], held, "Discover")
        ):
            result.append((hit, of_type))
    return result


def previewed(turn: Turn, worker: Row[Any], hit_id: str) -> tuple[Row[Any], Question]:
    """Return a HIT and its question, for one who may see it before accepting it.

    Raises:
        NotAllowed: there is no such HIT, or a qualification is missing.
    """
    hit = _hit(turn, hit_id)
    _need(turn, worker, hit, "Preview")
    return hit, question_of(hit)


def accept(turn: Turn, worker: Row[Any], hit_id: str) -> Row[Any]:
    """Accept a HIT: return the new assignment.

    Raises:
        NotAllowed: blocked, not qualified, done before, or nothing is left.
    """
    hit = _hit(turn, hit_id)
    if turn.find(blocks, worker=worker.id) is not None:
        raise NotAllowed("the requester has blocked this worker")
    _need(turn, worker, hit, "Accept")
    if hit.id in _hits_of(turn, worker):
        raise NotAllowed("this worker has done this HIT, or is at it")
    if not available(hit, counts(turn, hit.id), turn.now):
        raise NotAllowed("there are no more of these HITs")
    assignment_id = new_id()
    turn.add(
        assignments,
        id=assignment_id,
        hit=hit.id,
        worker=worker.id,
        status="Accepted",
        accepted_at=turn.now,
        deadline=turn.now + properties(turn, hit)["AssignmentDurationInSeconds"],
    )
    return _assignment(turn, assignment_id)


def submit(turn: Turn, assignment_id: str, answers: Answers) -> Row[Any]:
    """Hand in an accepted assignment.

    Raises:
        NotAllowed: there is none, its time is over, it was returned or handed in, or there are no
            answers at all.
    """
    row = _assignment(turn, assignment_id)
    if row.status != "Accepted":
        raise NotAllowed(f"this assignment cannot be submitted: it is {row.status.lower()}")
    if not answers:
        raise NotAllowed(
            "nothing but the assignment's id was submitted: at least one field is needed"
        )
    hit = _hit(turn, row.hit)
    form = question_of(hit)
    delay = properties(turn, hit)["AutoApprovalDelayInSeconds"]
    return turn.change(
        assignments,
        row,
        status="Submitted",
        submitted_at=turn.now,
        auto_approval_at=turn.now + delay,
        answer=answers_xml(answers, form if form.kind == "form" else None),
    )


def give_back(turn: Turn, worker: Row[Any], assignment_id: str) -> Row[Any]:
    """Return an accepted assignment: somebody else can accept it.

    Raises:
        NotAllowed: it is not this worker's, or not being worked on.
    """
    row = _assignment(turn, assignment_id)
    if row.worker != worker.id or row.status != "Accepted":
        raise NotAllowed("only accepted work of one's own can be returned")
    changed = turn.change(assignments, row, status="Returned")
    hold(turn, row.hit)
    return changed


def ask_for_qualification(
    turn: Turn, worker: Row[Any], type_id: str, answers: Mapping[str, Sequence[str]]
) -> str:
    """Ask for a qualification, with the answers to its test where it has one.

    Returns "Granted" if it was granted at once (automatically, or by the answer key), else
    "Pending".

    Raises:
        NotAllowed: there is no such type, it is inactive, or it is too early to ask again.
    """
    row = turn.find(qualification_types, id=type_id, deleted=False)
    if row is None:
        raise NotAllowed("there is no such qualification")
    of_type = json.loads(row.properties)
    if of_type["QualificationTypeStatus"] != "Active":
        raise NotAllowed("nobody can ask for this qualification now")
    _need_patience(turn, worker, type_id, of_type.get("RetryDelayInSeconds"))
    value: int | None = None
    answer = None
    if test := of_type.get("Test"):
        answer = answers_xml(answers, parse_question(test))
        if key := of_type.get("AnswerKey"):
            value = score(key, answers)
    elif of_type.get("AutoGranted"):
        value = of_type.get("AutoGrantedValue", 1)
    status = "Pending" if value is None else "Granted"
    turn.add(
        qualification_requests,
        id=new_id(),
        type=type_id,
        worker=worker.id,
        status=status,
        test=test,
        answer=answer,
        submitted_at=turn.now,
    )
    if value is not None:
        grant(turn, type_id, worker.id, value)
    return status


def question_of(hit: Row[Any]) -> Question:
    """Return a HIT's question; whether http is allowed was decided when it was created."""
    return parse_question(hit.question, allow_http=True)


def _need_patience(turn: Turn, worker: Row[Any], type_id: str, delay: int | None) -> None:
    last = turn.connection.execute(
        sa.select(sa.func.max(qualification_requests.c.submitted_at)).where(
            qualification_requests.c.type == type_id, qualification_requests.c.worker == worker.id
        )
    ).scalar_one()
    if last is None:
        return
    if delay is None:
        raise NotAllowed("this qualification can be asked for only once")
    if turn.now < last + delay:
        raise NotAllowed(
            f"this qualification can be asked for again in {last + delay - turn.now:.0f} s"
        )


def _need(turn: Turn, worker: Row[Any], hit: Row[Any], action: qualifying.Action) -> None:
    requirements = properties(turn, hit)["QualificationRequirements"]
    if not qualifying.allowed(requirements, held_by(turn, worker), action):
        raise NotAllowed(f"a qualification is missing to {action.lower()} this HIT")


def _hits_of(turn: Turn, worker: Row[Any]) -> set[str]:
    """Return the HITs that a worker is at or has handed in."""
    statement = sa.select(assignments.c.hit).where(
        assignments.c.worker == worker.id,
        assignments.c.status.not_in(("Returned", "Abandoned")),
    )
    return {row.hit for row in turn.all(statement)}


def _hit(turn: Turn, hit_id: str) -> Row[Any]:
    hit = turn.find(hits, id=hit_id)
    if hit is None or hit.disposed:
        raise NotAllowed("there is no such HIT")
    return hit


def _assignment(turn: Turn, assignment_id: str) -> Row[Any]:
    row = turn.find(assignments, id=assignment_id)
    if row is None:
        raise NotAllowed("there is no such assignment")
    return row
