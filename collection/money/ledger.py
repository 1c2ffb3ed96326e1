"""The ledger: every call that changes something at a platform, written down before it is made.

A row goes from `intended` to `sent` (committed before the call), and from there to `confirmed`, to
`failed-retry` or to `failed-final`. `sent` after a crash means that nobody knows: the call is made
again with the same token. The budget is checked in the transaction that writes the row.
A decision that has failed for good and is made anew, or otherwise, is `withdrawn`.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Container, Iterable
from decimal import Decimal
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from collection.campaign import Campaign
from collection.money.calls import COSTLY, Call, CallKind
from collection.money.cents import NOTHING, from_cents, to_cents
from collection.money.reserve import Reserve
from collection.tables import ledger
from photochat.errors import DataError

State = Literal["intended", "sent", "confirmed", "failed-retry", "failed-final", "withdrawn"]
OPEN: tuple[State, ...] = ("intended", "sent", "failed-retry")  # still to be made, or to be asked
# Statements that run for every call are made once.
_SAME = sa.select(ledger.c.id).where(
    ledger.c.campaign == sa.bindparam("campaign"),
    ledger.c.kind == sa.bindparam("kind"),
    ledger.c.key == sa.bindparam("key"),
)
_INSERT = sa.insert(ledger)
_COMMITTED = sa.select(
    sa.func.coalesce(
        sa.func.sum(ledger.c.amount + ledger.c.fee + ledger.c.promised - ledger.c.released), 0
    )
).where(
    ledger.c.campaign == sa.bindparam("campaign"),
    ledger.c.kind.in_(COSTLY),
    ledger.c.state != "failed-final",
)
_FIRST_DUE = (
    sa.select(ledger)
    .where(ledger.c.campaign == sa.bindparam("campaign"), ledger.c.state.in_(OPEN))
    .order_by(ledger.c.not_before, ledger.c.id)
    .limit(1)
)
# What is approved draws on its posting's reserve, what a bonus or an extension costs changes it.
_HOLDING: tuple[CallKind, ...] = ("approve", "override", "bonus", "extend")
_LOCK = 0x6C656467  # any number: with the campaign's name, PostgreSQL's lock of its budget


class BudgetError(DataError):
    """A call would bring a campaign over its budget; nothing was written."""


class Row(msgspec.Struct, frozen=True):
    """One line of the ledger."""

    id: int
    campaign: str
    kind: CallKind
    key: str
    token: str
    state: State
    worker: str | None
    participant: int | None
    posting: str | None
    submission: str | None
    units: int
    amount: Decimal
    fee: Decimal
    promised: Decimal
    released: Decimal
    reason: str
    payload: dict[str, Any]
    result: Any
    attempts: int
    last_error: str | None
    not_before: float
    intended_at: float
    first_sent_at: float | None
    changed_at: float

    @property
    def unit(self) -> tuple[Decimal, Decimal, Decimal]:
        """What one assignment of a posting reserves: (amount, fee, promise)."""
        units = max(self.units, 1)
        return self.amount / units, self.fee / units, self.promised / units


def token_of(campaign: str, kind: CallKind, key: str) -> str:
    """Return the token of a call: the same call has the same token in every run. 44 characters."""
    return f"{token_prefix(campaign)}{_digest(kind, key, campaign)[:32]}"


def token_prefix(campaign: str) -> str:
    """Return what all tokens of a campaign begin with."""
    return f"pc-{_digest(campaign)[:8]}-"


def intend(
    connection: Connection, campaign: Campaign, call: Call, *, now: float | None = None
) -> int:
    """Write a call down, within a writing transaction; return its row's id.

    A call that was written down before is that row, whatever became of it, and costs nothing anew.

    Raises:
        BudgetError: the campaign's budget does not cover it.
    """
    now = time.time() if now is None else now
    lock(connection, campaign)
    same = {"campaign": campaign.name, "kind": call.kind, "key": call.key}
    known = connection.execute(_SAME, same).scalar_one_or_none()
    if known is not None:
        return int(known)
    change = call.amount + call.fee + call.promised if call.kind in COSTLY else NOTHING
    posting = call.posting if call.kind in _HOLDING else None
    held = _reserve(connection, campaign, posting) if posting is not None else None
    released = _released(held, call) if held is not None else NOTHING
    if held is not None:
        change -= released - held.released
    _afford(connection, campaign, change)
    if held is not None:
        _release(connection, campaign, str(posting), released)
    row = connection.execute(
        _INSERT,
        {
            **same,
            "token": token_of(campaign.name, call.kind, call.key),
            "state": "intended",
            "worker": call.worker,
            "participant": call.participant,
            "posting": call.posting,
            "submission": call.submission,
            "units": call.units,
            "amount": to_cents(call.amount),
            "fee": to_cents(call.fee),
            "promised": to_cents(call.promised),
            "reason": call.reason,
            "payload": msgspec.json.encode(call.payload).decode(),
            "intended_at": now,
            "changed_at": now,
        },
    )
    assert row.inserted_primary_key is not None
    return int(row.inserted_primary_key[0])


def calls(
    reader: Connection,
    campaign: Campaign,
    *,
    kinds: Iterable[CallKind] | None = None,
    states: Iterable[State] | None = None,
    posting: str | None = None,
) -> list[Row]:
    """List rows of a campaign in the order of their intending."""
    query = sa.select(ledger).where(ledger.c.campaign == campaign.name)
    if kinds is not None:
        query = query.where(ledger.c.kind.in_(tuple(kinds)))
    if states is not None:
        query = query.where(ledger.c.state.in_(tuple(states)))
    if posting is not None:
        query = query.where(ledger.c.posting == posting)
    return [_row(row) for row in reader.execute(query.order_by(ledger.c.id))]


def first_due(reader: Connection, campaign: Campaign) -> Row | None:
    """Return the open row that is to be called before all others, even if later than now."""
    row = reader.execute(_FIRST_DUE, {"campaign": campaign.name}).one_or_none()
    return None if row is None else _row(row)


def postings(reader: Connection, campaign: Campaign) -> dict[str, Row]:
    """Return the confirmed publish rows of a campaign by the platform's posting id."""
    rows = calls(reader, campaign, kinds=("publish",), states=("confirmed",))
    return {row.posting: row for row in rows if row.posting is not None}


def committed(reader: Connection, campaign: Campaign) -> Decimal:
    """Return what of the budget is spent, reserved or promised, fees included."""
    return from_cents(int(reader.execute(_COMMITTED, {"campaign": campaign.name}).scalar_one()))


def settle(
    connection: Connection,
    campaign: Campaign,
    posting: str,
    *,
    of_units: int,
    spare: int,
    settled: int,
) -> bool:
    """Give back what a posting reserves too much, as its platform shows it.

    `spare` units will never be handed in; of `settled` ones it is certain that no (further) bonus
    comes. `of_units` is how many units the posting had when that was found out: if it has been
    extended since, nothing is given back, and False returned. What had been given back too much is
    reserved again as far as the budget goes.
    """
    lock(connection, campaign)
    held = _reserve(connection, campaign, posting)
    if held is None or held.units != of_units:
        return False
    room = max(campaign.pay.budget - committed(connection, campaign), NOTHING)
    _release(connection, campaign, posting, held.after_settling(spare, settled, room))
    return True


def retry_failed(connection: Connection, campaign: Campaign, *, now: float | None = None) -> int:
    """Let calls that have failed for good be made once more; return how many.

    Raises:
        BudgetError: the budget does not cover them any more.
    """
    now = time.time() if now is None else now
    lock(connection, campaign)
    failed = calls(connection, campaign, states=("failed-final",))
    costs = [row.amount + row.fee + row.promised for row in failed if row.kind in COSTLY]
    _afford(connection, campaign, sum(costs, NOTHING))
    connection.execute(
        sa.update(ledger)
        .where(ledger.c.id.in_([row.id for row in failed]))
        .values(state="failed-retry", not_before=now, changed_at=now)
    )
    return len(failed)


def withdraw(
    connection: Connection,
    campaign: Campaign,
    kinds: Iterable[CallKind],
    submissions: Container[str],
    *,
    now: float,
) -> None:
    """Let decisions about submissions that have failed for good give way to new ones.

    The rows stay, with keys and tokens of their own: should the platform have carried one out after
    all, its late answer is still written down. Not for calls that the budget must cover.
    """
    lock(connection, campaign)
    failed = calls(connection, campaign, kinds=kinds, states=("failed-final",))
    number = "/" + sa.cast(ledger.c.id, sa.String)
    connection.execute(
        sa.update(ledger)
        .where(
            ledger.c.id.in_([row.id for row in failed if row.submission in submissions]),
            ledger.c.state == "failed-final",
        )
        .values(
            state="withdrawn",
            key=ledger.c.key + number,
            token=ledger.c.token + number,
            changed_at=now,
        )
    )


def lock(connection: Connection, campaign: Campaign) -> None:
    """Hold a campaign's budget until the transaction ends; SQLite's writers hold it anyway."""
    if connection.dialect.name == "postgresql":
        number = int(_digest(campaign.name)[:7], 16)
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK, number)))


def _afford(connection: Connection, campaign: Campaign, change: Decimal) -> None:
    """Refuse what brings the sum over the budget; what does not raise the sum is never refused."""
    before, budget = committed(connection, campaign), campaign.pay.budget
    if change > 0 and before + change > budget:
        raise BudgetError(
            f"{change:.2f} more would be over the budget: {before:.2f} of {budget:.2f} "
            f"{campaign.pay.currency} are committed; raise pay.budget in the campaign file, or "
            "close postings that are not needed",
            field="pay.budget",
        )


def _reserve(connection: Connection, campaign: Campaign, posting: str) -> Reserve | None:
    """Return what a posting holds of the budget; None where it is not ours."""
    rows = calls(connection, campaign, kinds=("publish", "extend"), posting=posting)
    published = next((row for row in rows if row.kind == "publish"), None)
    if published is None:
        return None
    live = [row for row in rows if row.state != "failed-final"]
    here = sa.and_(ledger.c.campaign == campaign.name, ledger.c.posting == posting)
    approvals = sa.select(ledger.c.submission).where(
        here, ledger.c.kind.in_(("approve", "override"))
    )
    bonuses = sa.select(sa.func.count()).where(here, ledger.c.kind == "bonus")
    return Reserve(
        published.unit,
        sum(row.units for row in live),
        sum((row.amount + row.fee + row.promised for row in live), NOTHING),
        published.released,
        frozenset(connection.execute(approvals).scalars()),
        int(connection.execute(bonuses).scalar_one()),
    )


def _released(held: Reserve, call: Call) -> Decimal:
    """Return what of a posting's reserve is released once the call is written down."""
    if call.kind == "bonus":
        return held.after_bonus()
    if call.kind == "extend":
        return held.after_extension(call.units, call.amount + call.fee + call.promised)
    return held.after_approval(call.submission or "")


def _release(connection: Connection, campaign: Campaign, posting: str, amount: Decimal) -> None:
    connection.execute(
        sa.update(ledger)
        .where(
            ledger.c.campaign == campaign.name,
            ledger.c.kind == "publish",
            ledger.c.posting == posting,
        )
        .values(released=to_cents(amount))
    )


def _row(row: Any) -> Row:
    values = dict(row._mapping)
    for name in ("amount", "fee", "promised", "released"):
        values[name] = from_cents(values[name])
    values["payload"] = msgspec.json.decode(values["payload"])
    values["result"] = None if values["result"] is None else msgspec.json.decode(values["result"])
    return Row(**values)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
