"""The bots' diary: a JSON line for all that was sent, acknowledged and heard.

A line is on the disk before the bot goes on, so that what the diary holds has happened, whatever
is killed when. Every line has `kind`, `at` (seconds since 1970) and `worker`; docs/simulate tells
what each kind adds.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from photochat.atomic import make_private
from photochat.errors import UNDECODABLE, DataError

Kind = Literal["opened", "sent", "acked", "refused", "heard", "trouble", "done"]


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line."""

    kind: Kind
    at: float
    worker: str
    conversation: int | None = None
    name: str | None = None  # sent, acked, refused: the event ("say"); heard: the kind of event
    client_id: str | None = None
    text: str | None = None
    seq: int | None = None  # opened: the last one known to the page
    by: str | None = None  # heard: "you", "partner" or none
    error: str | None = None  # refused: the code; trouble, done: what happened
    code: str | None = None  # done: what the worker hands in


class Diary:
    """Appends entries to a file. Of no file it only counts."""

    def __init__(self, path: Path | None, *, sync: bool = True) -> None:
        self._sync = sync
        self.counts: dict[str, int] = {}
        try:
            if path is not None:
                make_private(path)  # it names workers and what they wrote
            self._file = None if path is None else path.open("ab")
        except OSError as error:
            raise DataError(f"cannot be written ({error.strerror or error})", file=path) from error

    def write(self, kind: Kind, worker: str, **facts: Any) -> None:
        """Write one entry down, for good."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if self._file is None:
            return
        entry = Entry(kind, time.time(), worker, **facts)
        self._file.write(msgspec.json.encode(entry) + b"\n")
        self._file.flush()
        if self._sync:
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def read_diary(path: str | Path) -> Iterator[Entry]:
    """Read a diary. A last line that was cut off is left out: it never counted as written.

    Raises:
        DataError: the file cannot be read, or a line is no entry.
    """
    try:
        lines = Path(path).read_bytes().split(b"\n")
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})", file=path) from error
    for number, line in enumerate(lines[:-1], start=1):
        try:
            yield msgspec.json.decode(line, type=Entry)
        except UNDECODABLE as error:
            raise DataError(str(error), file=path, record=f"line {number}") from error
