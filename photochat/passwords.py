"""Passwords in addresses (postgresql://user:password@host/db): neither shown nor written down."""

from __future__ import annotations

import re

_PASSWORD = re.compile(r"(?<=://)([^/?#\s:@]*:)[^@/?#\s]+(?=@)|([?&]password=)[^&#\s]+")
INSTEAD = "set PGPASSWORD, or keep it in ~/.pgpass"


def without_password(text: str) -> str:
    """Return a text with *** in place of the password of each address in it."""
    return _PASSWORD.sub(r"\1\2***", text)


def holds_password(text: str) -> bool:
    """Whether an address in a text gives a password away."""
    return _PASSWORD.search(text) is not None
