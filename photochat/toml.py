"""TOML files that people write by hand: read whole, and complaints that name the key."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from photochat.errors import DataError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

T = TypeVar("T")

_UNKNOWN = re.compile(r"Object contains unknown field `(.+?)`(?: - at `\$\.?(.*)`)?")
_MISSING = re.compile(r"Object missing required field `(.+?)`(?: - at `\$\.?(.*)`)?")
_WRONG = re.compile(r"(.+?)(?: - at `\$\.?(.*)`)?")


def read_toml(path: str | Path) -> dict[str, Any]:
    """Return the tables of a TOML file.

    Raises:
        DataError: there is no such file, it cannot be read, or it is no TOML.
    """
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError("no such file", file=path) from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot be read ({error})", file=path) from error
    except (ValueError, RecursionError) as error:  # also thousands of digits or brackets
        raise DataError(f"is not TOML: {error}", file=path) from error


def as_struct(content: dict[str, Any], kind: type[T], *, file: str | Path | None = None) -> T:
    """Turn tables into a msgspec struct.

    Raises:
        DataError: a key is unknown, missing or not of its type; the error's field is its full name
            ("rules.min_turns_before_share").
    """
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        key, problem = _place(str(error))
        raise DataError(problem, file=file, field=key) from error


def _place(message: str) -> tuple[str, str]:
    """Split msgspec's message into the full name of the key and what is wrong with it."""
    for pattern, problem in ((_UNKNOWN, "unknown key"), (_MISSING, "is missing")):
        match = pattern.fullmatch(message)
        if match:
            return ".".join(part for part in (match[2], match[1]) if part), problem
    match = _WRONG.fullmatch(message)
    assert match is not None
    text = match[1].replace("`", "")
    return match[2] or "(the file)", text[0].lower() + text[1:]
