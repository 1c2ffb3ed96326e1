"""Payments made by hand: a CSV of who is owed what, and the same file back with what was paid.

The file has a line for each amount. Whoever pays fills in `paid_at` (2026-01-31) and `reference`
(a transfer's number), and it is read back; a line may also be found by its completion code alone.
"""

from __future__ import annotations

import csv
import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from collection.campaign import Campaign
from collection.database import Database
from collection.money.cents import from_cents
from collection.recruiting.review_csv import plain
from collection.tables import link_books, participants
from photochat.atomic import atomic_file
from photochat.errors import DataError

COLUMNS = ("line", "worker", "code", "amount", "currency", "reason", "paid_at", "reference")
_TO_PAY = ("approve", "bonus")


class Due(msgspec.Struct, frozen=True):
    """One amount for one person. `line` is its name in the books."""

    line: str
    worker: str
    code: str | None
    amount: Decimal
    reason: str
    paid_at: float | None
    reference: str | None


class Noted(msgspec.Struct, frozen=True):
    """What an import has noted: `paid` anew, `known` before, `unpaid` lines of the file, and what
    is unpaid in all."""

    paid: int
    known: int
    unpaid: int
    left: Decimal


def dues(database: Database, campaign: Campaign) -> list[Due]:
    """List all amounts that are or were to be paid, in the order of their writing down."""
    visit = participants.c.worker + "/" + participants.c.assignment
    query = (
        sa.select(link_books, participants.c.code)
        .select_from(
            link_books.outerjoin(
                participants,
                sa.and_(
                    participants.c.campaign == link_books.c.campaign,
                    visit == link_books.c.submission,
                ),
            )
        )
        .where(
            link_books.c.campaign == campaign.name,
            link_books.c.kind.in_(_TO_PAY),
            link_books.c.amount > 0,
        )
        .order_by(link_books.c.at, link_books.c.token)
    )
    with database.read() as reader:
        return [
            Due(
                row.token,
                row.worker,
                row.code,
                from_cents(row.amount),
                "reward" if row.kind == "approve" else row.reason,
                row.paid_at,
                row.paid_reference,
            )
            for row in reader.execute(query)
        ]


def write_dues(path: str | Path, found: list[Due], campaign: Campaign) -> None:
    """Write amounts as CSV, whole or not at all."""
    with (
        atomic_file(path, private=True) as part,
        part.open("w", encoding="utf-8", newline="") as file,
    ):
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for due in found:
            day = "" if due.paid_at is None else _day(due.paid_at)
            rows.writerow(
                [
                    due.line,
                    plain(due.worker),
                    due.code or "",
                    f"{due.amount:.2f}",
                    campaign.pay.currency,
                    plain(due.reason),
                    day,
                    plain(due.reference or ""),
                ]
            )


def note_payments(
    database: Database, campaign: Campaign, path: str | Path, *, dry_run: bool = False
) -> Noted:
    """Read payments made and note them, unless it is a dry run; all of the file or nothing of it.

    Raises:
        DataError: a line is not ours, its amount is another, or it was paid with another reference.
    """
    known = {due.line: due for due in dues(database, campaign)}
    paid: dict[str, dict[str, Any]] = {}
    unpaid = before = 0
    for number, row in enumerate(_read(path), start=2):
        record = f"row {number}"
        due = _find(known, row, path, record)
        if not row["paid_at"]:
            unpaid += 1
            continue
        if _amount(row["amount"], path, record) != due.amount:
            raise DataError(
                f"{row['amount']} was paid where {due.amount:.2f} is owed: settle it with the "
                "worker, then write the amount that is owed",
                file=path,
                record=record,
                field="amount",
            )
        if due.paid_at is not None or due.line in paid:
            if (due.reference or "") != row["reference"] or due.line in paid:
                raise DataError(
                    f"{due.line} stands as paid already ({due.reference or 'no reference'}): was "
                    "it paid twice?",
                    file=path,
                    record=record,
                )
            before += 1
            continue
        at = _seconds(row["paid_at"], path, record)
        paid[due.line] = {"paid_at": at, "paid_reference": row["reference"][:200] or None}
    with database.writing.begin() as connection:
        for line, values in () if dry_run else paid.items():
            connection.execute(
                sa.update(link_books)
                .where(link_books.c.campaign == campaign.name, link_books.c.token == line)
                .values(**values)
            )
    left = [due.amount for due in known.values() if due.paid_at is None and due.line not in paid]
    return Noted(len(paid), before, unpaid, sum(left, Decimal("0.00")))


def _read(path: str | Path) -> list[dict[str, str]]:
    try:
        rows = csv.DictReader(Path(path).read_text(encoding="utf-8-sig").splitlines())
        found = [{name: (row.get(name) or "").strip() for name in COLUMNS} for row in rows]
    except FileNotFoundError as error:
        raise DataError("no such file", file=path) from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"cannot be read ({error})", file=path) from error
    missing = {"amount", "paid_at"} - set(rows.fieldnames or ())
    if missing:
        raise DataError(f"has no column {sorted(missing)[0]!r}", file=path)
    return found


def _find(known: dict[str, Due], row: dict[str, str], path: str | Path, record: str) -> Due:
    if row["line"]:
        if row["line"] not in known:
            raise DataError(f"no such line: {row['line']}", file=path, record=record, field="line")
        return known[row["line"]]
    code = "".join(row["code"].split()).upper()
    mine = [due for due in known.values() if code and due.code == code]
    amount = _amount(row["amount"], path, record)
    matching = [due for due in mine if due.amount == amount]
    if len(matching) != 1:
        raise DataError(
            f"{len(matching)} amounts of {amount} are owed for the code {code or '(none)'}: fill "
            "in the column line as photochat campaign payments --export writes it",
            file=path,
            record=record,
        )
    return matching[0]


def _amount(text: str, path: str | Path, record: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise DataError(
            f"not an amount: {text!r}", file=path, record=record, field="amount"
        ) from None


def _seconds(day: str, path: str | Path, record: str) -> float:
    try:
        when = datetime.datetime.fromisoformat(day)
    except ValueError:
        raise DataError(
            f"not a day like 2026-01-31: {day!r}", file=path, record=record, field="paid_at"
        ) from None
    return (when if when.tzinfo else when.replace(tzinfo=datetime.timezone.utc)).timestamp()


def _day(at: float) -> str:
    return datetime.datetime.fromtimestamp(at, datetime.timezone.utc).date().isoformat()
