"""A campaign file for a rehearsal: all of it, but for the platform and the addresses."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

from collection.campaign import NAME_LETTERS


def name_of_its_own(campaign: str) -> str:
    """Return a name for a rehearsal in a database that may hold the campaign itself."""
    ending = f"-try-{secrets.token_hex(4)}"
    return campaign[: NAME_LETTERS - len(ending)] + ending


def rehearsed(content: Mapping[str, Any], chat: str, platform: str) -> str:
    """Return a campaign file's tables as TOML, with an emulated Mechanical Turk as the recruiter.

    `chat` and `platform` are the host and port of the chat server and of the emulator.
    """
    recruiting = {
        **content.get("recruiting", {}),
        "recruiter": "mturk",
        "url": f"http://{chat}",
        "submit_hosts": [platform],
    }
    tables = {**content, "recruiting": recruiting}
    return "".join(f"{_quoted(key)} = {_toml(value)}\n" for key, value in tables.items())


def _toml(value: object) -> str:
    """Write a value in one line of TOML."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_quoted(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, str):
        return _quoted(value)
    return json.dumps(value) if isinstance(value, bool | int | float) else str(value)


def _quoted(text: str) -> str:
    """Quote a key or a text: as in JSON, but for DEL, which TOML wants escaped too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
