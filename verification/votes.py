"""A reviewer's vote on a dialogue, and the file that carries votes: `votes.jsonl`, one a line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from photochat.atomic import atomic_file
from photochat.errors import UNDECODABLE, DataError

Verdict = Literal["accept", "reject", "unsure"]
Reason = Literal[
    "no-association", "unnatural", "inappropriate", "typos", "broken-english", "broken-rules"
]
VERDICTS: tuple[Verdict, ...] = ("accept", "reject", "unsure")
# Why section 3.3 discards a dialogue; the last is ours, for what section 3.2 asks of workers.
REASONS: dict[Reason, str] = {
    "no-association": "No evident link between photo and talk before the share",
    "unnatural": "Unnatural talk",
    "inappropriate": "Inappropriate words",
    "typos": "Too many typos",
    "broken-english": "Broken English",
    "broken-rules": "Rules broken (talk about the task, personal information, shared too early)",
}
MAX_COMMENT_CHARS = 2000
MAX_NAME_CHARS = 100
MAX_SECONDS = 24 * 3600.0

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME_CHARS)]


class Vote(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What one reviewer thinks of one dialogue. `seconds` is the time that they looked at it."""

    dialogue_id: int
    reviewer: Name
    verdict: Verdict
    reasons: tuple[Reason, ...] = ()
    comment: Annotated[str, msgspec.Meta(max_length=MAX_COMMENT_CHARS)] = ""
    seconds: Annotated[float, msgspec.Meta(ge=0, le=MAX_SECONDS)] | None = None
    at: datetime | None = None


def in_order(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Return the reasons each once, in the order of `REASONS`."""
    given = set(reasons)
    return tuple(reason for reason in REASONS if reason in given)


def read_votes(path: str | Path) -> list[Vote]:
    """Read a votes file.

    Raises:
        DataError: no such file, or a line is no vote.
    """
    try:
        lines = Path(path).read_bytes().splitlines()
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", file=path) from error
    decoder = msgspec.json.Decoder(Vote)
    votes = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            votes.append(decoder.decode(line))
        except UNDECODABLE as error:
            problem = f"is no vote ({error})"
            raise DataError(problem, file=path, record=f"line {number}") from error
    return votes


def write_votes(path: str | Path, votes: Sequence[Vote]) -> None:
    """Write a votes file, whole or not at all."""
    with atomic_file(Path(path), private=True) as part, part.open("wb") as file:
        for vote in votes:
            file.write(msgspec.json.encode(vote) + b"\n")
