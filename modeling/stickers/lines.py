"""Files of one JSON object a line that grow while something is made: knowledge, descriptions."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from photochat.errors import UNDECODABLE, DataError

T = TypeVar("T")


def read_lines(file: Path, kind: type[T], what: str) -> list[T]:
    """Read a file's lines; a last one without its end, where writing stopped, is left out.

    Raises:
        DataError: the file cannot be read, or a line is no `what`.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", file=file) from error
    decoder = msgspec.json.Decoder(kind)
    found: list[T] = []
    lines = data.split(b"\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found.append(decoder.decode(line))
        except UNDECODABLE as error:
            if number == len(lines) and not isinstance(error, msgspec.ValidationError):
                break
            raise DataError(
                f"is no {what} ({error})", file=file, record=f"line {number}"
            ) from error
    return found
