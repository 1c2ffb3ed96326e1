"""AWS JSON 1.1 over HTTP: one address for all operations, named by a header."""

from __future__ import annotations

import json
import logging
import socket
import time
import uuid
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response, current_app, request

from collection.mturk_emulator.books import Books
from collection.mturk_emulator.faults import Fault, Faults
from collection.mturk_emulator.operations import OPERATIONS
from collection.mturk_emulator.refusals import (
    PREFIX,
    Refused,
    request_error,
    service_fault,
    throttled,
)
from collection.mturk_emulator.service_model import problems, service_model
from collection.mturk_emulator.signature import check_signature
from collection.mturk_emulator.tables import calls
from collection.mturk_emulator.turn import Turn

wire = Blueprint("wire", __name__)
log = logging.getLogger("photochat.mturk_emulator")
CONTENT_TYPE = "application/x-amz-json-1.1"


@wire.post("/")
def call() -> Response:
    """Carry out one call, unless a fault keeps it from being carried out or from being answered."""
    call_id = str(uuid.uuid4())
    fault: Fault | None = None
    try:
        key = current_app.extensions["mturk_key"]
        check_signature(request.method, request.url, request.headers, request.get_data(), key)
        operation = _operation()
        faults: Faults = current_app.extensions["mturk_faults"]
        fault = faults.take(operation)
        _before(fault)
        answer = _answer(_carry_out(operation, _body(), call_id), 200, call_id)
    except Refused as refused:
        answer = _refusal(refused, call_id)
    if fault is not None and fault.kind == "fail_after":
        return _refusal(service_fault(), call_id)
    if fault is not None and fault.kind in ("cut_before", "cut_after"):
        _cut()
    return answer


def _before(fault: Fault | None) -> None:
    """Do what a fault does before the call: wait, refuse."""
    if fault is None:
        return
    if fault.kind == "delay":
        time.sleep(fault.seconds)
    elif fault.kind == "throttle":
        raise throttled()
    elif fault.kind in ("fail_before", "cut_before"):
        raise service_fault()
    elif fault.kind == "refuse":
        raise Refused("RequestError", fault.message, code=fault.code)


def _operation() -> str:
    """Return the operation that the header names.

    Raises:
        Refused: it is none of MTurk's, or none that is served here.
    """
    prefix, _, name = request.headers.get("X-Amz-Target", "").partition(".")
    model = service_model()
    if prefix != model.metadata["targetPrefix"] or name not in model.operation_names:
        raise Refused("UnknownOperationException", "")
    if name not in OPERATIONS:
        raise request_error("OperationNotEmulated", f"The emulator does not serve {name}.")
    return name


def _body() -> Any:
    try:
        body = json.loads(request.get_data() or b"{}", parse_constant=_no_number)
        json.dumps(body, ensure_ascii=False).encode()  # half a surrogate pair is no text
        return body
    except (ValueError, RecursionError) as error:
        raise Refused("SerializationException", "The request is not JSON.") from error


def _no_number(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity, which JSON does not have


def _carry_out(operation: str, body: Any, call_id: str) -> dict[str, Any]:
    """Check, carry out and write down a call; it is committed when this returns or raises."""
    books: Books = current_app.extensions["mturk_books"]
    model = service_model().operation_model(operation)
    with books.turn(call_id) as turn:
        # Refused is refused as a whole; that it was asked is written down in either case.
        savepoint = turn.connection.begin_nested()
        try:
            wrong = list(problems(model.input_shape, body))
            if wrong:
                number = f"{len(wrong)} validation error{'s' * (len(wrong) > 1)} detected: "
                raise Refused("ValidationException", number + "; ".join(wrong))
            given = {name: value for name, value in body.items() if value is not None}
            answer = OPERATIONS[operation](turn, given)
            wrong = list(problems(model.output_shape, answer))
            if wrong:
                log.error("the answer to %s is wrong: %s", operation, "; ".join(wrong))
                raise Refused("InternalFailure", "; ".join(wrong), status=500)
            savepoint.commit()
            _write_down(turn, operation, body, "done")
            return answer
        except Refused as refused:
            savepoint.rollback()
            _write_down(turn, operation, body, refused.code or refused.kind)
            failure = refused
            if failure.stamped:
                failure.message += f" ({int(turn.now * 1000)} s)"
    raise failure


def _write_down(turn: Turn, operation: str, body: Any, outcome: str) -> None:
    turn.add(
        calls,
        id=turn.call,
        at=turn.now,
        operation=operation,
        request=json.dumps(body),
        outcome=outcome.removeprefix(PREFIX),
    )


def _answer(body: dict[str, Any], status: int, call_id: str) -> Response:
    return Response(
        json.dumps(body), status, {"x-amzn-RequestId": call_id}, content_type=CONTENT_TYPE
    )


def _refusal(refused: Refused, call_id: str) -> Response:
    body = {"__type": refused.kind, "Message": refused.message, "message": refused.message}
    if refused.code:
        body["TurkErrorCode"] = refused.code
    return _answer(body, refused.status, call_id)


def _cut() -> None:
    """End the connection: nothing of an answer reaches the client."""
    connection: socket.socket = request.environ["werkzeug.socket"]
    connection.shutdown(socket.SHUT_RDWR)


def calls_made(turn: Turn) -> list[dict[str, Any]]:
    """Return every call that came as far as being checked, the oldest first."""
    return [
        {**row._asdict(), "request": json.loads(row.request)}
        for row in turn.all(sa.select(calls).order_by(calls.c.seq))
    ]
