"""Votes given on a crowdsourcing platform: the results file that a requester downloads there.

The columns are Amazon Mechanical Turk's: `WorkerId`, `AssignmentStatus`, `SubmitTime`,
`WorkTimeInSeconds`, an `Input.` column for each thing the task was made from and an `Answer.`
column for each field of its form. Other platforms' exports are renamed to them easily.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path

import msgspec

from photochat.errors import DataError
from verification.votes import (
    MAX_COMMENT_CHARS,
    MAX_SECONDS,
    REASONS,
    VERDICTS,
    Reason,
    Verdict,
    Vote,
    in_order,
)

ID_COLUMNS = ("Input.dialogue_id", "Answer.dialogue_id", "dialogue_id")
VERDICT_COLUMNS = ("Answer.verdict", "verdict")
REASON_COLUMNS = ("Answer.reasons", "Answer.reason", "reasons")
COMMENT_COLUMNS = ("Answer.comment", "comment")
WORKER_COLUMNS = ("WorkerId", "worker_id", "reviewer")
REFUSED = "Rejected"  # AssignmentStatus of work that the requester did not take
PSEUDONYM_CHARS = 16
_ZONES = {"UTC": 0, "GMT": 0, "PST": -8, "PDT": -7}  # MTurk writes its own time, Pacific
_TICKED = re.compile(r"Answer\.reasons?\.(.+?)(?:\.on)?")  # one column for each checkbox


class PlatformVotes(msgspec.Struct, frozen=True):
    """The votes of a results file, and how many of its rows hold none."""

    votes: list[Vote]
    refused: int  # assignments that the requester rejected
    unanswered: int  # rows without a verdict


def read_platform_votes(path: str | Path, name_of: Callable[[str], str]) -> PlatformVotes:
    """Read a results file (CSV). `name_of` turns a worker's id into the name that is kept.

    Raises:
        DataError: the file cannot be read, or a column or a value is not as it must be.
    """
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            columns = tuple(reader.fieldnames or ())
            rows = list(reader)
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", file=path) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"is no CSV file in UTF-8 ({error})", file=path) from error
    id_column = _one_of(columns, ID_COLUMNS, path)
    worker_column = _one_of(columns, WORKER_COLUMNS, path)
    verdict_column = _one_of(columns, VERDICT_COLUMNS, path)
    votes, refused, unanswered = [], 0, 0
    for number, row in enumerate(rows, start=2):
        if (row.get("AssignmentStatus") or "") == REFUSED:
            refused += 1
            continue
        verdict = (row[verdict_column] or "").strip().lower()
        if not verdict:
            unanswered += 1
            continue
        try:
            votes.append(
                Vote(
                    dialogue_id=_number(row[id_column], id_column),
                    reviewer=name_of(_worker(row[worker_column], worker_column)),
                    verdict=_verdict(verdict, verdict_column),
                    reasons=_reasons(row),
                    comment=_first(row, COMMENT_COLUMNS)[:MAX_COMMENT_CHARS],
                    seconds=_seconds(row.get("WorkTimeInSeconds") or ""),
                    at=parse_time(row.get("SubmitTime") or ""),
                )
            )
        except DataError as error:
            raise DataError(
                error.problem, file=path, record=f"line {number}", field=error.field
            ) from error
    return PlatformVotes(votes, refused, unanswered)


def pseudonym(key: bytes, worker: str) -> str:
    """Return the name under which a worker's votes stand: a keyed hash, as the chat's export has.

    >>> pseudonym(b"a key", "A1B2C3")
    'w-b8c2b9f0ad9f38b3'
    """
    digest = hmac.new(key, worker.encode(), hashlib.sha256).hexdigest()
    return f"w-{digest[:PSEUDONYM_CHARS]}"


def parse_time(text: str) -> datetime | None:
    """Read ISO 8601 or MTurk's "Tue Nov 03 10:11:12 PST 2026"; None where it is neither."""
    text = text.strip()
    with suppress(ValueError):
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
        return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    words = text.split()
    if len(words) == 6 and words[4] in _ZONES:
        zone = timezone(timedelta(hours=_ZONES[words.pop(4)]))
        with suppress(ValueError):
            return datetime.strptime(" ".join(words), "%a %b %d %H:%M:%S %Y").replace(tzinfo=zone)
    return None


def _one_of(columns: tuple[str, ...], names: tuple[str, ...], path: str | Path) -> str:
    for name in names:
        if name in columns:
            return name
    raise DataError(f"has no column {' or '.join(names)}", file=path)


def _first(row: Mapping[str, str], columns: tuple[str, ...]) -> str:
    return next((row[name].strip() for name in columns if row.get(name)), "")


def _number(text: str | None, column: str) -> int:
    try:
        return int((text or "").strip())
    except ValueError as error:
        raise DataError(f"not a dialogue id: {text!r}", field=column) from error


def _worker(text: str | None, column: str) -> str:
    if not (text or "").strip():
        raise DataError("is empty", field=column)
    return (text or "").strip()


def _verdict(text: str, column: str) -> Verdict:
    for verdict in VERDICTS:
        if text == verdict:
            return verdict
    raise DataError(f"{text!r} is not one of {', '.join(VERDICTS)}", field=column)


def _reasons(row: Mapping[str, str]) -> tuple[Reason, ...]:
    """Read "typos|unnatural", a JSON list, or a column for each checkbox that says "true"."""
    text = _first(row, REASON_COLUMNS)
    names: list[str] = []
    if text.startswith("["):
        with suppress(ValueError, RecursionError):
            names = [str(name) for name in json.loads(text)]
    if not names:
        names = [name for name in re.split(r"[|,;\s]+", text) if name]
    for column, value in row.items():
        ticked = _TICKED.fullmatch(column or "")
        if ticked and str(value).strip().lower() in ("true", "on", "1"):
            names.append(ticked[1])
    for name in names:
        if name not in REASONS:
            raise DataError(f"{name!r} is not one of {', '.join(REASONS)}", field="reasons")
    return in_order(reason for reason in REASONS if reason in names)


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if 0 <= seconds <= MAX_SECONDS else None
