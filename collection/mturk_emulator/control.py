"""The control side, under /_emulator: clock, faults, books, and simulated workers. JSON over HTTP.

Requests with a body must be application/json, which no other site's page can send unasked.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Annotated, Any, TypeVar

import msgspec
import sqlalchemy as sa
from flask import Blueprint, Response, abort, current_app, request
from msgspec import Meta
from sqlalchemy.engine import Row

from collection.mturk_emulator import work
from collection.mturk_emulator.books import Books, set_clock
from collection.mturk_emulator.faults import Fault, Faults
from collection.mturk_emulator.fees import to_cents
from collection.mturk_emulator.lifecycle import counts, post, status_of
from collection.mturk_emulator.pages import frame_of, submit_to
from collection.mturk_emulator.tables import (
    account,
    assignments,
    blocks,
    bonuses,
    entries,
    hit_types,
    hits,
    messages,
    qualifications,
    workers,
)
from collection.mturk_emulator.turn import Turn
from collection.mturk_emulator.wire import calls_made
from photochat.errors import UNDECODABLE

control = Blueprint("control", __name__, url_prefix="/_emulator")
Given = TypeVar("Given", bound=msgspec.Struct)
Place = Annotated[str, Meta(pattern=r"^[A-Z0-9]{2}\Z")]


class Clock(msgspec.Struct, forbid_unknown_fields=True):
    """Either `advance` (seconds) or `set` (seconds since 1970, or ISO 8601); `stands` stops it."""

    advance: float | None = None
    set: float | str | None = None
    stands: bool = True


class NewWorker(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A simulated worker and what the platform knows of them."""

    id: str
    country: Place | None = None
    subdivision: Place | None = None
    percent_approved: Annotated[int, Meta(ge=0, le=100)] | None = None
    number_approved: Annotated[int, Meta(ge=0, le=10**9)] | None = None
    adult: bool | None = None
    masters: bool | None = None


class Accept(msgspec.Struct, forbid_unknown_fields=True):
    """Which HIT to accept."""

    hit: str


class Submit(msgspec.Struct, forbid_unknown_fields=True):
    """What to hand in; several values of one name are joined as the platform does."""

    assignment: str
    answers: dict[str, str | list[str]]


class Return(msgspec.Struct, forbid_unknown_fields=True):
    """Which assignment to return."""

    assignment: str


class Ask(msgspec.Struct, forbid_unknown_fields=True):
    """Which qualification to ask for, with the answers to its test."""

    qualification: str
    answers: dict[str, list[str]] = {}


class Deposit(msgspec.Struct, forbid_unknown_fields=True):
    """Money for the account, such as "100.00"."""

    amount: Annotated[str, Meta(pattern=r"^[0-9]{1,9}(\.[0-9]{0,2})?\Z")]


@control.get("/clock")
def clock() -> Response:
    """Return the time."""
    with _books().turn() as turn:
        return _json({"now": turn.now})


@control.post("/clock")
def move_clock() -> Response:
    """Move the clock forward; what comes due by that is booked at its own time."""
    given = _given(Clock)
    with _books().turn() as turn:
        moment = turn.now + (given.advance or 0.0) if given.set is None else _moment(given.set)
        try:
            set_clock(turn, moment, stands=given.stands)
        except ValueError as error:
            abort(_refused(str(error)))
    with _books().turn() as turn:
        return _json({"now": turn.now})


@control.get("/faults")
def coming_faults() -> Response:
    """Return the faults still to come."""
    return _json(_faults().coming())


@control.post("/faults")
def add_fault() -> Response:
    """Let something go wrong."""
    _faults().add(_given(Fault))
    return coming_faults()


@control.delete("/faults")
def clear_faults() -> Response:
    """Let nothing go wrong any more."""
    _faults().clear()
    return coming_faults()


@control.get("/calls")
def calls() -> Response:
    """Return every call to the API, with its request and its outcome."""
    with _books().turn() as turn:
        return _json(calls_made(turn))


@control.get("/books")
def books() -> Response:
    """Return everything: money in cents, times in seconds since 1970."""
    with _books().turn() as turn:
        tables = {
            "assignments": assignments, "bonuses": bonuses, "entries": entries,
            "workers": workers, "blocks": blocks, "messages": messages,
            "qualifications": qualifications,
        }  # fmt: skip
        rows = {
            name: [_plain(row) for row in turn.all(sa.select(table).order_by(table.c.seq))]
            for name, table in tables.items()
        }
        [money] = turn.all(sa.select(account))
        return _json({"now": turn.now, "account": _plain(money), "hits": _hits(turn), **rows})


@control.post("/deposit")
def deposit() -> Response:
    """Put money into the account."""
    cents = to_cents(_given(Deposit).amount)
    with _books().turn() as turn:
        post(turn, "deposit", deposited=cents, available=cents)
        return _json({"deposited": cents})


@control.post("/workers")
def new_worker() -> Response:
    """Make a worker, or change what the platform knows of one."""
    given = _given(NewWorker)
    facts = {
        name: value
        for name in given.__struct_fields__
        if name != "id" and (value := getattr(given, name)) is not None
    }
    with _books().turn() as turn:
        return _json(_plain(_entered(turn, given.id, **facts)))


@control.get("/workers/<worker_id>")
def one_worker(worker_id: str) -> Response:
    """Return a worker: what they have, did and got, in cents, and their messages."""
    with _books().turn() as turn:
        worker = _entered(turn, worker_id)

        def of(table: sa.Table) -> list[dict[str, Any]]:
            statement = sa.select(table).where(table.c.worker == worker_id).order_by(table.c.seq)
            return [_plain(row) for row in turn.all(statement)]

        return _json(
            {
                **_plain(worker),
                "assignments": of(assignments),
                "bonuses": of(bonuses),
                "messages": of(messages),
                "qualifications": of(qualifications),
                "paid": sum(entry["paid"] for entry in of(entries)),
            }
        )


@control.get("/workers/<worker_id>/hits")
def findable(worker_id: str) -> Response:
    """Return the HITs that a worker finds."""
    with _books().turn() as turn:
        found = work.findable(turn, _entered(turn, worker_id))
        return _json(
            [
                {"hit": hit.id, "annotation": hit.annotation, "question": hit.question, **of_type}
                for hit, of_type in found
            ]
        )


@control.post("/workers/<worker_id>/accept")
def accept(worker_id: str) -> Response:
    """Accept a HIT: the assignment, and the address that the frame would show."""
    given = _given(Accept)
    with _books().turn() as turn:
        row = _try(lambda: work.accept(turn, _entered(turn, worker_id), given.hit))
        return _json({**_plain(row), "frame": frame_of(turn, row), "submit_to": submit_to()})


@control.post("/workers/<worker_id>/submit")
def submit(worker_id: str) -> Response:
    """Hand in an assignment, as the form in the frame would."""
    given = _given(Submit)
    with _books().turn() as turn:
        _entered(turn, worker_id)
        return _json(_plain(_try(lambda: work.submit(turn, given.assignment, given.answers))))


@control.post("/workers/<worker_id>/return")
def give_back(worker_id: str) -> Response:
    """Return an assignment."""
    given = _given(Return)
    with _books().turn() as turn:
        worker = _entered(turn, worker_id)
        return _json(_plain(_try(lambda: work.give_back(turn, worker, given.assignment))))


@control.post("/workers/<worker_id>/qualification-requests")
def ask(worker_id: str) -> Response:
    """Ask for a qualification: "Granted" or "Pending"."""
    given = _given(Ask)
    with _books().turn() as turn:
        worker = _entered(turn, worker_id)
        answers: dict[str, Sequence[str]] = dict(given.answers)
        status = _try(
            lambda: work.ask_for_qualification(turn, worker, given.qualification, answers)
        )
        return _json({"status": status})


def _hits(turn: Turn) -> list[dict[str, Any]]:
    statement = (
        sa.select(hits, hit_types.c.reward)
        .join(hit_types, hits.c.hit_type == hit_types.c.id)
        .order_by(hits.c.seq)
    )
    return [
        {**_plain(hit), "status": status_of(hit, counts(turn, hit.id), turn.now)}
        for hit in turn.all(statement)
    ]


def _entered(turn: Turn, worker_id: str, **facts: object) -> Row[Any]:
    row: Row[Any] = _try(lambda: work.enter(turn, worker_id, **facts))
    return row


def _try(do: Any) -> Any:
    """Do something as a worker; what is not allowed is answered with status 409 and the reason."""
    try:
        return do()
    except work.NotAllowed as error:
        abort(_refused(str(error), 409))


def _given(kind: type[Given]) -> Given:
    if request.mimetype != "application/json":
        abort(_refused("the body must be application/json", 415))
    try:
        return msgspec.json.decode(request.get_data(), type=kind)
    except UNDECODABLE as error:
        abort(_refused(str(error)))


def _moment(given: float | str) -> float:
    if not isinstance(given, str):
        return float(given)
    try:
        moment = datetime.fromisoformat(given.replace("Z", "+00:00"))
    except ValueError:
        abort(_refused(f"not a time: {given}"))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return moment.timestamp()


def _refused(error: str, status: int = 400) -> Response:
    return Response(msgspec.json.encode({"error": error}), status, content_type="application/json")


def _plain(row: Row[Any]) -> dict[str, Any]:
    return {name: value for name, value in row._asdict().items() if name != "seq"}


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), content_type="application/json")


def _books() -> Books:
    found: Books = current_app.extensions["mturk_books"]
    return found


def _faults() -> Faults:
    found: Faults = current_app.extensions["mturk_faults"]
    return found
