"""What becomes of HITs and assignments, by calls and by time, and the money that goes with it."""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Row

from collection.mturk_emulator.fees import from_cents
from collection.mturk_emulator.refusals import request_error
from collection.mturk_emulator.tables import account, assignments, entries, hit_types, hits
from collection.mturk_emulator.turn import Turn

DISPOSED_AFTER_SECONDS = 120 * 86_400  # counted from the expiry
Status = Literal["Assignable", "Unassignable", "Reviewable", "Reviewing", "Disposed"]
TAKEN = ("Accepted", "Submitted", "Approved", "Rejected")  # takes up one of a HIT's assignments


def catch_up(turn: Turn) -> None:
    """Book what time has brought since the last call.

    Accepted work past its deadline is abandoned, submitted work is approved at its time, what a HIT
    no longer needs is released at its expiry, and old HITs are disposed of.
    """
    moments = {"now": turn.now, "old": turn.now - DISPOSED_AFTER_SECONDS}
    if not turn.connection.execute(_ANYTHING_DUE, moments).scalar_one():
        return
    for row in turn.all(sa.select(assignments).where(_LATE), **moments):
        turn.change(assignments, row, status="Abandoned")
        hold(turn, row.hit)
    to_approve = sa.select(assignments).where(_DUE).order_by(assignments.c.auto_approval_at)
    for row in turn.all(to_approve, **moments):
        approve(turn, row, at=row.auto_approval_at)
    for row in turn.all(sa.select(hits).where(_EXPIRED), **moments):
        turn.change(hits, row, open=False)
        hold(turn, row.id)
    for row in turn.all(sa.select(hits).where(_OLD), **moments):
        number = counts(turn, row.id)
        if not number["Accepted"] and not number["Submitted"]:
            turn.change(hits, row, disposed=True)


_NOW: Any = sa.bindparam("now")
_LATE = sa.and_(assignments.c.status == "Accepted", assignments.c.deadline <= _NOW)
_DUE = sa.and_(assignments.c.status == "Submitted", assignments.c.auto_approval_at <= _NOW)
_EXPIRED = sa.and_(hits.c.open, hits.c.expires_at <= _NOW)
_OLD = sa.and_(~hits.c.disposed, hits.c.expires_at <= sa.bindparam("old"))
_ANYTHING_DUE = sa.select(
    sa.or_(
        sa.exists().where(_LATE),
        sa.exists().where(_DUE),
        sa.exists().where(_EXPIRED),
        sa.exists().where(_OLD),
    )
)  # asked first: mostly nothing is


def counts(turn: Turn, hit: str) -> Counter[str]:
    """Return how many assignments of a HIT are in each status."""
    statement = (
        sa.select(assignments.c.status, sa.func.count().label("number"))
        .where(assignments.c.hit == hit)
        .group_by(assignments.c.status)
    )
    return Counter({row.status: row.number for row in turn.all(statement)})


def available(hit: Row[Any], number: Counter[str], now: float) -> int:
    """Return how many assignments can be accepted now."""
    if hit.disposed or hit.expires_at <= now:
        return 0
    left: int = hit.assignments - sum(number[status] for status in TAKEN)
    return left


def status_of(hit: Row[Any], number: Counter[str], now: float) -> Status:
    """Return a HIT's status as the API shows it."""
    if hit.disposed:
        return "Disposed"
    if available(hit, number, now):
        return "Assignable"
    if number["Accepted"]:
        return "Unassignable"
    return "Reviewing" if hit.reviewing else "Reviewable"


def approve(turn: Turn, assignment: Row[Any], *, at: float, feedback: str | None = None) -> None:
    """Approve an assignment that was submitted or rejected, and pay reward and fee for it.

    Raises:
        Refused: the balance does not cover it (a rejected assignment's money had been released).
    """
    hit = turn.connection.execute(
        sa.select(hits.c.fee, hit_types.c.reward)
        .join(hit_types, hits.c.hit_type == hit_types.c.id)
        .where(hits.c.id == assignment.hit)
    ).one()
    turn.change(
        assignments,
        assignment,
        status="Approved",
        approved_at=at,
        feedback=feedback if feedback is not None else assignment.feedback,
    )
    hold(turn, assignment.hit)
    post(
        turn,
        "reward",
        at=at,
        hit=assignment.hit,
        assignment=assignment.id,
        worker=assignment.worker,
        available=-(hit.reward + hit.fee),
        paid=hit.reward,
        fees=hit.fee,
    )


def hold(turn: Turn, hit_id: str) -> None:
    """Hold what a HIT may still cost, and release what it cannot cost any more.

    That is reward and fee of every assignment not yet decided; of those nobody has accepted only
    while the HIT can be accepted.

    Raises:
        Refused: the balance does not cover it.
    """
    hit = turn.connection.execute(
        sa.select(hits, hit_types.c.reward)
        .join(hit_types, hits.c.hit_type == hit_types.c.id)
        .where(hits.c.id == hit_id)
    ).one()
    number = counts(turn, hit_id)
    undecided = number["Accepted"] + number["Submitted"] + available(hit, number, turn.now)
    needed = undecided * (hit.reward + hit.fee)
    more = needed - hit.held
    if more:
        post(turn, "hold" if more > 0 else "release", hit=hit_id, available=-more, held=more)
        turn.connection.execute(hits.update().where(hits.c.id == hit_id).values(held=needed))


def post(
    turn: Turn,
    kind: str,
    *,
    at: float | None = None,
    hit: str | None = None,
    assignment: str | None = None,
    worker: str | None = None,
    **cents: int,
) -> None:
    """Move money: an entry, and its sums in the account.

    Raises:
        Refused: more would be taken than is available.
    """
    row = turn.connection.execute(sa.select(account)).one()
    after = row.available + cents.get("available", 0)
    if after < 0:
        raise request_error(
            "InsufficientFunds",
            "This Requester has insufficient funds in their account: "
            f"{from_cents(-cents['available'])} USD are needed and "
            f"{from_cents(row.available)} USD are available.",
        )
    moved = {
        name: cents.get(name, 0) for name in ("deposited", "available", "held", "paid", "fees")
    }
    turn.add(
        entries,
        at=turn.now if at is None else at,
        kind=kind,
        hit=hit,
        assignment=assignment,
        worker=worker,
        **moved,
    )
    turn.change(account, row, **{name: getattr(row, name) + moved[name] for name in moved})
