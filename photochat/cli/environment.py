"""Secrets come from the environment: command lines and files are read by others."""

from __future__ import annotations

import os
import secrets

from photochat.cli.output import note
from photochat.errors import DataError

MIN_SECRET_CHARS = 16


def secret_of(name: str, *, made_up: bool = False, show: bool = False) -> str:
    """Return the secret that stands in the environment under `name`.

    Where it is not set and one may be `made_up`, it is a fresh one, which `show` prints.

    Raises:
        DataError: it is not set, or too short.
    """
    value = os.environ.get(name, "")
    if value and len(value) < MIN_SECRET_CHARS:
        raise DataError(f"must have {MIN_SECRET_CHARS} characters or more", field=name)
    if value:
        return value
    if not made_up:
        raise DataError(
            "is not set: export it from a safe place, a fresh one is made by "
            "python -c 'import secrets; print(secrets.token_urlsafe(32))'"
            + (", or try the server with --demo" if name != "PHOTOCHAT_PSEUDONYM_KEY" else ""),
            field=name,
        )
    value = secrets.token_urlsafe(24)
    shown = f"; it is {value}" if show else ": sessions end when the server does"
    note(f"photochat: {name} is not set, made one up{shown}")
    return value
