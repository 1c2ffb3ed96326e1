"""The calls that change something at a platform, as values that the ledger writes down.

One function for each kind. `key` tells a call from every other of its kind and campaign, also
after the program was started anew: intended twice, it is the same row. Make it from the platform's
own ids where there are any.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal

import msgspec

from collection.money.cents import NOTHING
from collection.money.fees import Fees, assignment_fee, bonus_fee, posting_cost
from collection.recruiting.recruiter import Order, Submission

CallKind = Literal[
    "publish", "extend", "expire", "approve", "override", "reject", "bonus", "qualify", "notify"
]
COSTLY: tuple[CallKind, ...] = ("publish", "extend", "bonus")  # those that the budget must cover


class Call(msgspec.Struct, frozen=True):
    """A call to be made. `amount`, `fee` and `promised` are for all `units` together.

    What a publish or extend costs is reserved until its units are handed in or given up;
    `promised` reserves the bonuses that may come of them. An approve draws on the reservation: its
    amount is told, not added.
    """

    kind: CallKind
    key: str
    payload: dict[str, Any] = {}
    worker: str | None = None
    participant: int | None = None
    posting: str | None = None
    submission: str | None = None
    units: int = 0
    amount: Decimal = NOTHING
    fee: Decimal = NOTHING
    promised: Decimal = NOTHING
    reason: str = ""


def publish(
    key: str,
    order: Order,
    fees: Fees,
    *,
    promise: Decimal = NOTHING,
    worker: str | None = None,
    participant: int | None = None,
) -> Call:
    """Publish a posting; the order's token is set from the ledger's row.

    `promise` is the most that one submission's bonus may cost (`pay.dearest_bonus`).
    """
    masters = any(requirement.name == "masters" for requirement in order.requirements)
    amount, fee = posting_cost(fees, order.reward, order.assignments, masters=masters)
    return Call(
        "publish",
        key,
        {"order": msgspec.to_builtins(order)},
        worker=worker,
        participant=participant,
        units=order.assignments,
        amount=amount,
        fee=fee,
        promised=promise * order.assignments,
    )


def extend(
    key: str,
    posting: str,
    *,
    assignments: int,
    seconds: int,
    unit_amount: Decimal,
    unit_fee: Decimal,
    unit_promise: Decimal = NOTHING,
) -> Call:
    """Add assignments and seconds to a posting, at the cost of one unit of it (`Row.unit`)."""
    return Call(
        "extend",
        key,
        {"assignments": assignments, "seconds": seconds},
        posting=posting,
        units=assignments,
        amount=unit_amount * assignments,
        fee=unit_fee * assignments,
        promised=unit_promise * assignments,
    )


def expire(posting: str, *, key: str | None = None) -> Call:
    """Let nobody accept a posting any more."""
    return Call("expire", key or posting, posting=posting)


def approve(
    submission: Submission,
    *,
    reward: Decimal,
    assignments: int,
    fees: Fees,
    participant: int | None = None,
    message: str = "",
) -> Call:
    """Approve a submission; `assignments` is how many its posting has, for the fee."""
    fee = assignment_fee(fees, reward, assignments)
    return accept(
        submission, "approve", amount=reward, fee=fee, participant=participant, message=message
    )


def accept(
    submission: Submission,
    kind: Literal["approve", "override"],
    *,
    amount: Decimal,
    fee: Decimal,
    participant: int | None = None,
    message: str = "",
) -> Call:
    """Approve, or turn a rejection back, at the cost of one unit of the posting (`Row.unit`)."""
    accepted = Call(kind, submission.id, units=1, amount=amount, fee=fee, reason=message)
    return _about(submission, accepted, participant)


def reject(submission: Submission, *, reason: str, participant: int | None = None) -> Call:
    """Reject a submission, with a reason that the worker can act on."""
    return _about(submission, Call("reject", submission.id, reason=reason), participant)


def bonus(
    key: str, submission: Submission, amount: Decimal, fees: Fees, *, participant: int, reason: str
) -> Call:
    """Pay a bonus under a submission."""
    fee = bonus_fee(fees, amount)
    paid = Call("bonus", key, units=1, amount=amount, fee=fee, reason=reason)
    return _about(submission, paid, participant)


def _about(submission: Submission, call: Call, participant: int | None) -> Call:
    return msgspec.structs.replace(
        call,
        worker=submission.worker,
        participant=participant,
        posting=submission.posting,
        submission=submission.id,
    )


def qualify(key: str, qualification: str, worker: str, value: int | None) -> Call:
    """Give a worker a private qualification; None takes it away.

    The key must tell the occasion too: given, taken and given again are three calls.
    """
    return Call("qualify", key, {"qualification": qualification, "value": value}, worker=worker)


def notify(key: str, workers: Sequence[str], *, subject: str, text: str) -> Call:
    """Write to workers. After a crash it may reach them twice, so it should bear being read so."""
    return Call("notify", key, {"workers": list(workers), "subject": subject, "text": text})
