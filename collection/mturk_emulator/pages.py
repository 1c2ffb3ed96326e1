"""The worker side in a browser: choose an id, find HITs, preview, accept, work, submit, return.

Nobody signs in: who opens these pages plays any worker. The task is shown as the platform shows it,
in a frame, with its parameters in the address.
"""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from sqlalchemy.engine import Row
from werkzeug.wrappers import Response as AnyResponse

from collection.mturk_emulator import work
from collection.mturk_emulator.books import Books
from collection.mturk_emulator.fees import from_cents
from collection.mturk_emulator.operations.hits import properties
from collection.mturk_emulator.questions import (
    NO_ASSIGNMENT,
    Question,
    frame_url,
    parse_question,
    preview_url,
)
from collection.mturk_emulator.tables import (
    assignments,
    entries,
    hits,
    messages,
    qualification_types,
)
from collection.mturk_emulator.turn import Turn

pages = Blueprint("pages", __name__)
# A task's own page is another site's on the platform: here it may not touch what is around it.
FOREIGN = "sandbox allow-forms allow-scripts allow-popups allow-modals"


@pages.app_template_filter("dollars")
def dollars(cents: int) -> str:
    """Show cents as an amount."""
    return f"${from_cents(cents)}"


@pages.errorhandler(work.NotAllowed)
def not_allowed(error: work.NotAllowed) -> tuple[str, int]:
    """Say why something cannot be done."""
    return render_template("not_allowed.html", reason=str(error)), 409


@pages.get("/")
@pages.get("/worker")
def choose() -> AnyResponse | str:
    """Ask who one wants to be."""
    worker = request.args.get("id", "").strip()
    if worker:
        return redirect(url_for(".find", worker_id=worker))
    return render_template("choose.html")


@pages.get("/worker/<worker_id>")
def find(worker_id: str) -> str:
    """Show the HITs that this worker finds, what they are at, and what they got."""
    with _books().turn() as turn:
        worker = work.enter(turn, worker_id)
        mine = turn.all(
            sa.select(assignments)
            .where(assignments.c.worker == worker_id)
            .order_by(assignments.c.seq.desc())
        )
        inbox = turn.all(
            sa.select(messages).where(messages.c.worker == worker_id).order_by(messages.c.seq)
        )
        paid = sa.select(sa.func.sum(entries.c.paid)).where(entries.c.worker == worker_id)
        return render_template(
            "find.html",
            worker=worker,
            found=work.findable(turn, worker),
            tests=_tests(turn),
            mine=[(row, properties(turn, _hit(turn, row.hit))) for row in mine],
            inbox=inbox,
            paid=turn.connection.execute(paid).scalar_one() or 0,
        )


@pages.get("/worker/<worker_id>/hits/<hit_id>")
def preview(worker_id: str, hit_id: str) -> str:
    """Show a HIT before it is accepted."""
    with _books().turn() as turn:
        worker = work.enter(turn, worker_id)
        hit, question = work.previewed(turn, worker, hit_id)
        if question.kind == "external":
            address = preview_url(question, hit=hit.id)
        else:
            address = url_for(".task", hit_id=hit.id, assignmentId=NO_ASSIGNMENT, hitId=hit.id)
        return render_template(
            "frame.html",
            worker=worker,
            hit=hit,
            of_type=properties(turn, hit),
            assignment=None,
            address=address,
            height=question.height,
        )


@pages.post("/worker/<worker_id>/hits/<hit_id>/accept")
def accept(worker_id: str, hit_id: str) -> AnyResponse:
    """Accept a HIT."""
    with _books().turn() as turn:
        row = work.accept(turn, work.enter(turn, worker_id), hit_id)
    return redirect(url_for(".at_work", worker_id=worker_id, assignment_id=row.id), 303)


@pages.get("/worker/<worker_id>/assignments/<assignment_id>")
def at_work(worker_id: str, assignment_id: str) -> str | AnyResponse:
    """Show a HIT at work, or what has become of it."""
    with _books().turn() as turn:
        worker = work.enter(turn, worker_id)
        row = turn.find(assignments, id=assignment_id, worker=worker_id)
        if row is None:
            raise work.NotAllowed("there is no such assignment of this worker")
        hit = _hit(turn, row.hit)
        return render_template(
            "frame.html",
            worker=worker,
            hit=hit,
            of_type=properties(turn, hit),
            assignment=row,
            left=int(row.deadline - turn.now),
            address=frame_of(turn, row),
            height=work.question_of(hit).height,
        )


@pages.post("/worker/<worker_id>/assignments/<assignment_id>/return")
def give_back(worker_id: str, assignment_id: str) -> AnyResponse:
    """Return an assignment."""
    with _books().turn() as turn:
        work.give_back(turn, work.enter(turn, worker_id), assignment_id)
    return redirect(url_for(".find", worker_id=worker_id), 303)


@pages.get("/task/<hit_id>")
def task(hit_id: str) -> Response:
    """Show an HTMLQuestion's page, or a QuestionForm as a form, for the frame."""
    with _books().turn() as turn:
        question = work.question_of(_hit(turn, hit_id))
    assignment = request.args.get("assignmentId", NO_ASSIGNMENT)
    if question.kind == "form":
        page = render_template(
            "form.html",
            question=question,
            assignment=None if assignment == NO_ASSIGNMENT else assignment,
            action=url_for(".external_submit"),
        )
        return Response(page)
    return Response(question.html, headers={"Content-Security-Policy": FOREIGN})


@pages.route("/mturk/externalSubmit", methods=["GET", "POST"])
def external_submit() -> str:
    """Take what the form in the frame hands in: assignmentId, and at least one more field."""
    fields = request.values.to_dict(flat=False)
    [assignment, *_] = fields.pop("assignmentId", [""])
    with _books().turn() as turn:
        row = work.submit(turn, assignment, fields)
        return render_template("submitted.html", assignment=row)


@pages.get("/worker/<worker_id>/qualifications/<type_id>")
def test(worker_id: str, type_id: str) -> str:
    """Show a qualification and its test."""
    with _books().turn() as turn:
        worker = work.enter(turn, worker_id)
        row = turn.find(qualification_types, id=type_id, deleted=False)
        if row is None:
            raise work.NotAllowed("there is no such qualification")
        of_type = json.loads(row.properties)
        question = parse_question(of_type["Test"]) if "Test" in of_type else None
        return render_template(
            "test.html", worker=worker, type_id=type_id, of_type=of_type, question=question
        )


@pages.post("/worker/<worker_id>/qualifications/<type_id>")
def take_test(worker_id: str, type_id: str) -> str:
    """Take the answers to a test."""
    with _books().turn() as turn:
        worker = work.enter(turn, worker_id)
        answers = request.form.to_dict(flat=False)
        status = work.ask_for_qualification(turn, worker, type_id, answers)
        value = work.held_by(turn, worker).get(type_id)
        return render_template("tested.html", worker=worker, status=status, value=value)


def frame_of(turn: Turn, assignment: Row[Any]) -> str:
    """Return the address that the frame of an accepted assignment shows."""
    question = work.question_of(_hit(turn, assignment.hit))
    parameters = {
        "hit": assignment.hit,
        "assignment": assignment.id,
        "worker": assignment.worker,
        "submit_to": submit_to(),
    }
    if question.kind == "external":
        return frame_url(question, **parameters)
    address = url_for("pages.task", hit_id=assignment.hit)
    return frame_url(Question("html", url=address), **parameters)


def submit_to() -> str:
    """Return the site that results are handed in to."""
    return request.host_url.rstrip("/")


def _tests(turn: Turn) -> list[tuple[str, str]]:
    """Return id and name of the qualifications that workers can ask for."""
    rows = turn.all(sa.select(qualification_types).where(~qualification_types.c.deleted))
    return [
        (row.id, row.name)
        for row in rows
        if {"Test", "AutoGranted"} & json.loads(row.properties).keys()
    ]


def _hit(turn: Turn, hit_id: str) -> Row[Any]:
    hit = turn.find(hits, id=hit_id)
    if hit is None:
        raise work.NotAllowed("there is no such HIT")
    return hit


def _books() -> Books:
    found: Books = current_app.extensions["mturk_books"]
    return found
