"""Prolific's export of a study's submissions as CSV, for reconciling without the API's token.

The page "Download demographic data" of a study writes one row a submission. It has no amounts: it
tells who handed in, with which code, and what was decided.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from collection.recruiting.prolific import AUTO_APPROVAL_SECONDS, seconds_of
from collection.recruiting.recruiter import Submission, SubmissionState
from photochat.errors import DataError

_STATES: dict[str, SubmissionState] = {
    "AWAITING REVIEW": "submitted",
    "APPROVED": "approved",
    "REJECTED": "rejected",
}
_NOT_HANDED_IN = ("RETURNED", "TIMED-OUT", "TIMED OUT", "RESERVED", "ACTIVE", "SCREENED OUT")
# As the export has been headed since 2022, and before.
_SUBMISSION = ("Submission id", "session_id")
_PARTICIPANT = ("Participant id", "participant_id")
_STATUS = ("Status", "status")
_CODE = ("Completion code", "entered_code")
_COMPLETED = ("Completed at", "completed_date_time")


def read_export(path: str | Path, study: str) -> tuple[list[Submission], dict[str, int]]:
    """Read an export: its submissions, and how many rows of each other status were left out.

    Raises:
        DataError: no such file, a column is missing, a status is unknown, or an id stands twice.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise DataError("no such file", file=path) from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot be read ({error})", file=path) from error
    rows = csv.DictReader(text.splitlines())
    header = rows.fieldnames or []
    names = {
        wanted: _column(header, wanted, path) for wanted in (_SUBMISSION, _PARTICIPANT, _STATUS)
    }
    found: dict[str, Submission] = {}
    others: dict[str, int] = {}
    for number, row in enumerate(rows, start=2):
        status = (row[names[_STATUS]] or "").strip().upper().replace("_", " ")
        if status in _NOT_HANDED_IN:
            others[status] = others.get(status, 0) + 1
            continue
        if status not in _STATES:
            raise DataError(
                f"unknown status {status!r}: is it Prolific's export of a study?",
                file=path,
                record=f"row {number}",
            )
        submission = row[names[_SUBMISSION]].strip()
        if submission in found:
            raise DataError(
                f"submission {submission} stands twice", file=path, record=f"row {number}"
            )
        code = _optional(row, _CODE)
        try:
            at = seconds_of(_optional(row, _COMPLETED))
        except ValueError as error:
            raise DataError(str(error), file=path, record=f"row {number}") from error
        found[submission] = Submission(
            id=submission,
            posting=study,
            worker=row[names[_PARTICIPANT]].strip(),
            state=_STATES[status],
            submitted_at=at,
            answers={"code": code} if code and code != "NOCODE" else {},
            approved_by_itself_at=at + AUTO_APPROVAL_SECONDS if at else None,
        )
    return list(found.values()), others


def _column(header: object, names: tuple[str, ...], path: str | Path) -> str:
    assert isinstance(header, list | tuple)
    for name in names:
        if name in header:
            return name
    raise DataError(
        f"has no column {names[0]!r}: download it under a study's Submissions, as CSV", file=path
    )


def _optional(row: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((row[name].strip() for name in names if row.get(name)), "")
