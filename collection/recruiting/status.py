"""`campaign status`: a campaign in numbers, from the platform and the ledger."""

from __future__ import annotations

import time
from collections import Counter
from decimal import Decimal

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from collection.campaign import Campaign
from collection.money import ledger
from collection.money.people import count_kinds
from collection.recruiting.launch import Need, need_of
from collection.recruiting.review import entries
from collection.tables import photos, postings

SOON_SECONDS = 24 * 3600.0


class Shown(msgspec.Struct, frozen=True):
    """One posting as the platform shows it."""

    posting: str
    open: bool
    assignments: int
    available: int
    pending: int
    expires_at: float | None


class Status(msgspec.Struct, frozen=True):
    """Where a campaign stands. `calls` counts the ledger's rows by state; `endings` the paid ones.

    `spent` is what has been approved and paid as bonuses, `committed` what is spent, reserved or
    promised, both with fees.
    """

    campaign: str
    recruiter: str
    balance: Decimal | None
    wanted: int
    completed: int
    need: Need
    endings: dict[str, int]
    postings: tuple[Shown, ...]
    submissions: dict[str, int]
    to_decide: int
    odd: dict[str, int]
    next_deadline: float | None
    within_a_day: int
    calls: dict[str, int]
    failed: tuple[str, ...]
    spent: Decimal
    committed: Decimal
    budget: Decimal
    currency: str


def status_of(
    reader: Connection,
    campaign: Campaign,
    *,
    balance: Decimal | None = None,
    now: float | None = None,
) -> Status:
    """Count a campaign, as the platform was seen last."""
    now = time.time() if now is None else now
    wanted, completed = reader.execute(
        sa.select(
            sa.func.coalesce(sa.func.sum(photos.c.wanted), 0),
            sa.func.coalesce(sa.func.sum(photos.c.completed), 0),
        ).where(photos.c.campaign == campaign.name)
    ).one()
    shown = reader.execute(
        sa.select(postings).where(postings.c.campaign == campaign.name).order_by(postings.c.id)
    ).all()
    handed_in = entries(reader, campaign)
    undecided = [entry for entry in handed_in if entry.is_open]
    deadlines = sorted(entry.deadline for entry in undecided if entry.deadline is not None)
    rows = ledger.calls(reader, campaign)
    spent = sum(
        (
            row.amount + row.fee
            for row in rows
            if row.state == "confirmed" and row.kind in ("approve", "override", "bonus")
        ),
        Decimal("0.00"),
    )
    return Status(
        campaign=campaign.name,
        recruiter=campaign.recruiting.recruiter,
        balance=balance,
        wanted=int(wanted),
        completed=int(completed),
        need=need_of(reader, campaign),
        endings={str(kind): count for kind, count in count_kinds(reader, campaign.name).items()},
        postings=tuple(
            Shown(row.id, row.open, row.assignments, row.available, row.pending, row.expires_at)
            for row in shown
        ),
        submissions=dict(Counter(entry.state for entry in handed_in)),
        to_decide=len(undecided),
        odd=dict(Counter(entry.finding for entry in undecided if entry.finding)),
        next_deadline=deadlines[0] if deadlines else None,
        within_a_day=sum(deadline < now + SOON_SECONDS for deadline in deadlines),
        calls=dict(Counter(row.state for row in rows)),
        failed=tuple(
            f"{row.kind} {row.key}: {row.last_error}" for row in rows if row.state == "failed-final"
        ),
        spent=spent,
        committed=ledger.committed(reader, campaign),
        budget=campaign.pay.budget,
        currency=campaign.pay.currency,
    )
