"""Review by spreadsheet: the submissions as CSV, and the same file back with decisions."""

from __future__ import annotations

import csv
import datetime
from collections.abc import Iterable
from pathlib import Path

from collection.recruiting.matching import FINDINGS
from collection.recruiting.review import ACTIONS, Decision, Entry
from photochat.atomic import atomic_file
from photochat.errors import DataError

COLUMNS = (
    "submission", "worker", "ended", "finding", "conversation", "submitted_at", "deadline",
    "state", "decision", "reason",
)  # fmt: skip


def write_review(path: str | Path, entries: Iterable[Entry]) -> None:
    """Write submissions as CSV, whole or not at all; the columns decision and reason are to be
    filled in."""
    with (
        atomic_file(path, private=True) as part,
        part.open("w", encoding="utf-8", newline="") as file,
    ):
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for entry in entries:
            rows.writerow(
                [
                    entry.submission,
                    plain(entry.worker),
                    entry.kind or entry.reason or "",
                    FINDINGS[entry.finding] if entry.finding else "",
                    entry.conversation or "",
                    written(entry.submitted_at),
                    written(entry.deadline) if entry.deadline else "",
                    entry.state,
                    "" if entry.is_open else entry.decision or "",
                    "",
                ]
            )


def read_decisions(path: str | Path) -> list[Decision]:
    """Read decisions; rows without one are left for later.

    Raises:
        DataError: no such file, a column is missing, a decision is none, a submission stands twice.
    """
    try:
        rows = csv.DictReader(Path(path).read_text(encoding="utf-8-sig").splitlines(keepends=True))
        lines = list(rows)
    except FileNotFoundError as error:
        raise DataError("no such file", file=path) from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"cannot be read ({error})", file=path) from error
    for name in ("submission", "decision", "reason"):
        if name not in (rows.fieldnames or ()):
            raise DataError(f"has no column {name!r}", file=path)
    decisions: dict[str, Decision] = {}
    for number, line in enumerate(lines, start=2):
        action = (line["decision"] or "").strip().lower()
        submission = (line["submission"] or "").strip()
        record = f"row {number}"
        if not action:
            continue
        if action not in ACTIONS:
            raise DataError(
                f"{action!r} is no decision: write {', '.join(ACTIONS)} or nothing",
                file=path,
                record=record,
                field="decision",
            )
        if submission in decisions:
            raise DataError(f"{submission} stands twice", file=path, record=record)
        decisions[submission] = Decision(submission, action, (line["reason"] or "").strip())
    return list(decisions.values())


def written(at: float) -> str:
    """Return a time as people write it, UTC."""
    when = datetime.datetime.fromtimestamp(at, datetime.timezone.utc)
    return when.strftime("%Y-%m-%d %H:%M")


def plain(text: str) -> str:
    """Text that no spreadsheet takes for a formula: worker ids come from outside."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
