"""One row of the ledger as a call to a recruiter."""

from __future__ import annotations

from typing import Any

import msgspec

from collection.money.ledger import Row
from collection.recruiting.recruiter import (
    AlreadyDoneError,
    Order,
    Recruiter,
    TryAgainError,
)


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
    found = (posting.id for posting in recruiter.postings() if posting.token == row.token)
    posting = error.id or next(found, None)
    if posting is None:
        raise TryAgainError("published before, but the posting is not listed yet")
    return posting
