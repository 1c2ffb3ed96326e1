"""`campaign pay`: everybody gets what the campaign file promises, once, whatever crashed before.

Reads who has finished from the database and what was handed in from the platform, intends what is
owed, carries it out, and gives back what postings reserve too much.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from decimal import Decimal

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from collection.campaign import Campaign
from collection.database import Database
from collection.money import compensation, ledger
from collection.money.calls import Call, CallKind, bonus
from collection.money.carry_out import Carried, carry_out
from collection.money.cents import NOTHING
from collection.money.fees import assignment_fee
from collection.money.ledger import BudgetError
from collection.money.owed import Debt, Owed, owed
from collection.money.pay import PaidKind, fees_of
from collection.money.people import finished
from collection.money.platform import Platform, look
from collection.recruiting.matching import match
from collection.recruiting.recruiter import (
    Recruiter,
    Submission,
)
from collection.recruiting.synchronise import code_of
from photochat.errors import DataError

REASON: dict[PaidKind, str] = {
    "complete": "Thank you for completing the conversation.",
    "partner_left": "For your time: your partner left the conversation.",
    "no_partner": "For your time in the waiting room: no partner came.",
    "unfinished": "For your time: the conversation could not be finished.",
}
_STEPS = 4  # of a compensation: qualify, publish, notify, approve


class Line(msgspec.Struct, frozen=True):
    """A call that was intended in this run, as it is shown."""

    kind: str
    worker: str | None
    amount: Decimal
    fee: Decimal
    why: str


class Paid(msgspec.Struct, frozen=True):
    """What a run of `pay` found and did. With a dry run `intended` is what it would begin with."""

    dry_run: bool
    intended: tuple[Line, ...]
    over_budget: tuple[Line, ...]
    people: dict[str, int]  # by where they stand: `collection.money.owed.Owed`
    missing: tuple[Line, ...]  # who is owed something and has handed nothing in
    not_told: tuple[Line, ...]  # who has a task of their own (why: its id), and got no letter
    not_compensated: str | None  # why nobody was, though it was asked for
    failed: tuple[str, ...]  # calls that have failed for good, in this run or before
    carried: Carried
    committed: Decimal
    budget: Decimal
    currency: str


def pay(
    database: Database,
    recruiter: Recruiter,
    campaign: Campaign,
    *,
    compensate: bool = False,
    retry_failed: bool = False,
    dry_run: bool = False,
    question: compensation.Question = compensation.html_question,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
    say: Callable[[str], None] = lambda line: None,
) -> Paid:
    """Pay everybody who is owed something; safe to repeat.

    Only with `compensate` do people without a submission get a posting of their own. What the
    budget does not cover is listed, not paid.

    Raises:
        DataError: the platform cannot be used at all, or not for `compensate`.
    """
    if compensate and recruiter.name in compensation.INSTEAD:
        problem = f"cannot be done: {compensation.INSTEAD[recruiter.name]}"
        raise DataError(problem, field="--compensate")
    carried = Carried()
    if not dry_run:
        if retry_failed:
            with database.writing.begin() as connection:
                ledger.retry_failed(connection, campaign, now=clock())
        carried = carry_out(database, recruiter, campaign, clock=clock, sleep=sleep, say=say)
    intended: list[Line] = []
    over: dict[str, Line] = {}
    for _ in range(1 if dry_run else 1 + _STEPS):
        seen = look(database, recruiter, campaign, sleep)
        if not dry_run:
            _settle(database, campaign, seen, clock())
        debts = _debts(database, campaign, seen, clock())
        calls = _calls_due(database, campaign, recruiter.name, debts, seen, compensate, question)
        fresh = _intend(database, campaign, calls, over, clock(), dry_run=dry_run)
        intended += fresh
        if dry_run or not fresh or carried.stopped:
            break
        more = carry_out(database, recruiter, campaign, clock=clock, sleep=sleep, say=say)
        carried = carried.then(more)
    if not dry_run:
        _settle(database, campaign, look(database, recruiter, campaign, sleep), clock())
    with database.read() as reader:
        total = ledger.committed(reader, campaign)
        failed = ledger.calls(reader, campaign, states=("failed-final",))
    return Paid(
        dry_run,
        tuple(intended),
        tuple(over.values()),
        {name: len(getattr(debts, name)) for name in Owed.__struct_fields__},
        tuple(_missing(debt, campaign, recruiter.name) for debt in debts.missing if debt.amount),
        _not_told(database, campaign, debts),
        seen.unknown if compensate and debts.missing else None,
        tuple(f"{row.kind} {row.worker or row.key}: {row.last_error}" for row in failed),
        carried,
        total,
        campaign.pay.budget,
        campaign.pay.currency,
    )


def _debts(database: Database, campaign: Campaign, seen: Platform, now: float) -> Owed:
    with database.read() as reader:
        people = finished(reader, campaign.name)
        rows = _by_key(ledger.calls(reader, campaign, kinds=("qualify", "publish")))
    begun = {
        person.participant: compensation.standing(
            person, rows, seen.postings, seen.compensations, now
        )
        for person in people
    }
    matches = match(seen.chat, people, expected=code_of(campaign))
    found = {
        one.person.participant: submission
        for submission, one in ((each, matches[each.id]) for each in seen.chat)
        if one.person is not None
    }
    return owed(
        campaign.pay,
        people,
        found,
        now=now,
        grace_seconds=max(campaign.pay.compensate_after_hours * 3600.0, seen.longest_assignment),
        compensations={who: stands for who, stands in begun.items() if stands is not None},
    )


def _calls_due(
    database: Database,
    campaign: Campaign,
    platform: str,
    debts: Owed,
    seen: Platform,
    compensate: bool,
    question: compensation.Question,
) -> list[Call]:
    fees = fees_of(campaign.pay, platform)
    with database.read() as reader:
        rows = _by_key(ledger.calls(reader, campaign))
    due = []
    for debt in debts.bonus:
        assert debt.submission is not None
        assert debt.person.kind is not None
        key = f"{debt.person.worker}:{debt.person.assignment}"
        if ("bonus", key) not in rows:
            reason = REASON[debt.person.kind]
            who = debt.person.participant
            due.append(
                bonus(key, debt.submission, debt.amount, fees, participant=who, reason=reason)
            )
    # Where not all can be seen, a submission that seems to be missing may be there, and paid.
    if seen.unknown is None:
        begun = [(debt, False) for debt in debts.compensating]
        for debt, closed in begun + [(debt, True) for debt in debts.missing if compensate]:
            key = f"{debt.person.worker}:{debt.person.assignment}"
            if debt.amount and ("bonus", key) not in rows:
                call = compensation.next_call(
                    campaign,
                    debt,
                    rows,
                    seen.compensations,
                    closed=closed,
                    fees=fees,
                    question=question,
                )
                due += [call] if call is not None else []
    return due


def _not_told(database: Database, campaign: Campaign, debts: Owed) -> tuple[Line, ...]:
    """List those who have a task of their own and could not be written to."""
    with database.read() as reader:
        rows = _by_key(ledger.calls(reader, campaign, kinds=("publish", "notify")))
    told = [(debt, compensation.not_told(debt.person, rows)) for debt in debts.compensating]
    return tuple(
        Line("notify", debt.person.worker, debt.amount, NOTHING, posting)
        for debt, posting in told
        if posting is not None
    )


def _by_key(rows: Sequence[ledger.Row]) -> dict[tuple[CallKind, str], ledger.Row]:
    return {(row.kind, row.key): row for row in rows}


def _intend(
    database: Database,
    campaign: Campaign,
    calls: Sequence[Call],
    over: dict[str, Line],
    now: float,
    *,
    dry_run: bool,
) -> list[Line]:
    """Write the calls down, those that the budget covers; a dry run takes it all back."""
    fresh = []
    with database.writing.connect() as connection, connection.begin() as transaction:
        known = _last_id(connection)
        for call in calls:
            line = _line(call)
            try:
                row = ledger.intend(connection, campaign, call, now=now)
            except BudgetError:
                over[f"{call.kind} {call.key}"] = line
                continue
            over.pop(f"{call.kind} {call.key}", None)
            if row > known:
                fresh.append(line)
        if dry_run:
            transaction.rollback()
    return fresh


def _settle(database: Database, campaign: Campaign, seen: Platform, now: float) -> None:
    """Give back what no submission and no bonus can need any more."""
    debts = _debts(database, campaign, seen, now)
    done = {
        debt.submission.id
        for debt in (*debts.reward_only, *debts.late)
        if debt.submission is not None
    }
    claimed = {
        debt.submission.id
        for name in Owed.__struct_fields__
        for debt in getattr(debts, name)
        if debt.submission is not None
    }
    handed_in: dict[str, list[Submission]] = {posting: [] for posting in seen.postings}
    for one in (*seen.chat, *(sub for subs in seen.compensations.values() for sub in subs)):
        handed_in.setdefault(one.posting, []).append(one)
    with database.writing.begin() as connection:
        for posting, shown in seen.postings.items():
            rows = ledger.calls(connection, campaign, kinds=("bonus",), posting=posting)
            paid = {row.submission for row in rows}
            subs = handed_in[posting]
            over = not shown.open and shown.pending == 0
            # Approved without a claim: no bonus comes, for nobody's participation is behind it.
            settled = sum(
                one.id in paid
                or one.id in done
                or (one.state == "approved" and one.id not in claimed)
                for one in subs
            )
            ledger.settle(
                connection,
                campaign,
                posting,
                of_units=shown.assignments,
                spare=max(shown.assignments - len(subs), 0) if over else 0,
                settled=settled,
            )


def _missing(debt: Debt, campaign: Campaign, platform: str) -> Line:
    assert debt.person.kind is not None
    fee = assignment_fee(fees_of(campaign.pay, platform), debt.amount, 1)
    why = compensation.WHY[debt.person.kind]
    return Line("compensate", debt.person.worker, debt.amount, fee, why)


def _line(call: Call) -> Line:
    return Line(call.kind, call.worker, call.amount, call.fee, call.reason or call.key)


def _last_id(connection: Connection) -> int:
    from collection.tables import ledger as table

    return int(
        connection.execute(sa.select(sa.func.coalesce(sa.func.max(table.c.id), 0))).scalar_one()
    )
