"""Operations on workers: blocks and messages; and the account's balance."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Row

from collection.mturk_emulator.fees import from_cents
from collection.mturk_emulator.paging import listed, page
from collection.mturk_emulator.refusals import invalid_value
from collection.mturk_emulator.tables import account, assignments, blocks, messages, workers
from collection.mturk_emulator.turn import Turn

MAX_SUBJECT_CHARS = 200
MAX_MESSAGE_CHARS = 4_096
MAX_NOTIFIED = 100

Request = dict[str, Any]


def get_account_balance(turn: Turn, request: Request) -> dict[str, Any]:
    """GetAccountBalance: what is available, and what is held for HITs."""
    row = turn.connection.execute(sa.select(account)).one()
    return {
        "AvailableBalance": from_cents(row.available),
        "OnHoldBalance": from_cents(row.held),
    }


def create_worker_block(turn: Turn, request: Request) -> dict[str, Any]:
    """CreateWorkerBlock: an unknown worker is an error."""
    worker = known_worker(turn, request["WorkerId"])
    turn.remove(blocks, worker=worker.id)
    turn.add(blocks, worker=worker.id, reason=request["Reason"], at=turn.now)
    return {}


def delete_worker_block(turn: Turn, request: Request) -> dict[str, Any]:
    """DeleteWorkerBlock: also of a worker who is not blocked."""
    turn.remove(blocks, worker=known_worker(turn, request["WorkerId"]).id)
    return {}


def list_worker_blocks(turn: Turn, request: Request) -> dict[str, Any]:
    """ListWorkerBlocks."""
    rows, token = page(turn, sa.select(blocks), blocks.c.seq, request)
    items = [{"WorkerId": row.worker, "Reason": row.reason} for row in rows]
    return listed("WorkerBlocks", items, token)


def notify_workers(turn: Turn, request: Request) -> dict[str, Any]:
    """NotifyWorkers: only those whose work was approved or rejected before get the message."""
    for name, most in (("Subject", MAX_SUBJECT_CHARS), ("MessageText", MAX_MESSAGE_CHARS)):
        if not 1 <= len(request[name]) <= most:
            raise invalid_value(name, "...", f"It must have 1 to {most} characters.")
    if not 1 <= len(request["WorkerIds"]) <= MAX_NOTIFIED:
        raise invalid_value("WorkerIds", "...", f"From 1 to {MAX_NOTIFIED} can be given.")
    failures = []
    for worker in request["WorkerIds"]:
        if why := _unreachable(turn, worker):
            failures.append(
                {
                    "NotifyWorkersFailureCode": "HardFailure",
                    "NotifyWorkersFailureMessage": why,
                    "WorkerId": worker,
                }
            )
        else:
            turn.add(
                messages,
                worker=worker,
                subject=request["Subject"],
                text=request["MessageText"],
                at=turn.now,
            )
    return {"NotifyWorkersFailureStatuses": failures}


def known_worker(turn: Turn, worker: str) -> Row[Any]:
    """Return a worker who has been here (or was made through the control API).

    Raises:
        Refused: nobody has this id.
    """
    row = turn.find(workers, id=worker)
    if row is None:
        raise invalid_value("WorkerId", worker)
    return row


def _unreachable(turn: Turn, worker: str) -> str | None:
    if turn.find(workers, id=worker) is None:
        return f"Worker {worker} does not exist."
    decided = sa.select(sa.func.count()).where(
        assignments.c.worker == worker, assignments.c.status.in_(("Approved", "Rejected"))
    )
    if not turn.connection.execute(decided).scalar_one():
        return f"Worker {worker} has no work of yours that was approved or rejected."
    return None
