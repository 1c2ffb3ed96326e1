"""One row of the ledger as a call to a recruiter, and as something to be found in its books."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from collection.database import Database
from collection.money.ledger import Row
from collection.recruiting.recruiter import (
    AlreadyDoneError,
    NotThereError,
    Order,
    Recruiter,
    TryAgainError,
)
from collection.tables import ledger


def perform(recruiter: Recruiter, row: Row) -> Any:
    """Make a row's call; return the platform's answer.

    Raises:
        RecruiterError: the platform did not carry it out, or nobody knows.
    """
    posting, submission, worker = row.posting or "", row.submission or "", row.worker or ""
    match row.kind:
        case "publish":
            return recruiter.publish(order_of(row))
        case "extend":
            assignments, seconds = row.payload["assignments"], row.payload["seconds"]
            recruiter.extend(posting, assignments=assignments, seconds=seconds, token=row.token)
        case "expire":
            recruiter.expire(posting)
        case "approve" | "override":
            override = row.kind == "override"
            recruiter.approve(submission, message=row.reason, override=override)
        case "reject":
            recruiter.reject(submission, reason=row.reason)
        case "bonus":
            recruiter.bonus(
                worker=worker,
                submission=submission,
                amount=row.amount,
                reason=sent_reason(row),
                token=row.token,
            )
        case "qualify":
            recruiter.qualify(row.payload["qualification"], worker, row.payload["value"])
        case "notify":
            letter = row.payload
            return list(
                recruiter.notify(letter["workers"], subject=letter["subject"], text=letter["text"])
            )
    return None


def order_of(row: Row) -> Order:
    """Return the order of a publish row, with the row's token."""
    return msgspec.structs.replace(msgspec.convert(row.payload["order"], Order), token=row.token)


def sent_reason(row: Row) -> str:
    """Return the text that goes with a bonus; by the reference it is found in the books again."""
    return f"{row.reason} (reference {row.token})".strip()


def result_of(recruiter: Recruiter, row: Row, error: AlreadyDoneError) -> Any:
    """Return the answer of a call that had been carried out before.

    Raises:
        TryAgainError: it made a posting that the platform neither names nor shows yet.
    """
    if row.kind != "publish":
        return None
    posting = error.id or _posting_by_token(recruiter, row.token)
    if posting is None:
        raise TryAgainError("published before, but the posting is not listed yet")
    return posting


def look_up(database: Database, recruiter: Recruiter, row: Row) -> tuple[bool, Any]:
    """Look for a call that costs money in the platform's books: (whether it is there, its result).

    Other calls may be repeated at will, so they are not looked for.
    """
    try:
        if row.kind == "publish":
            posting = _posting_by_token(recruiter, row.token)
            return posting is not None, posting
        if row.kind == "bonus" and row.posting is not None:
            return any(row.token in paid.reason for paid in recruiter.bonuses(row.posting)), None
        if row.kind == "extend" and row.posting is not None and row.units:
            return _is_extended(database, recruiter, row), None
    except NotThereError:
        pass
    return False, None


def _posting_by_token(recruiter: Recruiter, token: str) -> str | None:
    return next((posting.id for posting in recruiter.postings() if posting.token == token), None)


def _is_extended(database: Database, recruiter: Recruiter, row: Row) -> bool:
    """Whether the posting has this row's assignments beside those that are known to be there."""
    with database.read() as reader:
        known = reader.execute(
            sa.select(sa.func.coalesce(sa.func.sum(ledger.c.units), 0)).where(
                ledger.c.campaign == row.campaign,
                ledger.c.posting == row.posting,
                ledger.c.kind.in_(("publish", "extend")),
                ledger.c.state == "confirmed",
            )
        ).scalar_one()
    shown = next(
        (posting.assignments for posting in recruiter.postings() if posting.id == row.posting), 0
    )
    return bool(shown >= known + row.units)
