"""Request tokens: the same call is not carried out twice within a day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collection.mturk_emulator.refusals import request_error
from collection.mturk_emulator.tables import tokens
from collection.mturk_emulator.turn import Turn

TOKEN_SECONDS = 86_400


def used_before(turn: Turn, scope: str, request: Mapping[str, Any]) -> str | None:
    """Return what the request's token made before, or None; an old token is forgotten."""
    token = request.get("UniqueRequestToken")
    row = turn.find(tokens, scope=scope, token=token) if token else None
    if row is None:
        return None
    if turn.now - row.at < TOKEN_SECONDS:
        return str(row.result)
    turn.remove(tokens, scope=scope, token=token)
    return None


def remember(turn: Turn, scope: str, request: Mapping[str, Any], result: str) -> None:
    """Keep what the request's token made."""
    if token := request.get("UniqueRequestToken"):
        turn.add(tokens, scope=scope, token=token, at=turn.now, result=result)


def refuse_repeat(turn: Turn, scope: str, request: Mapping[str, Any]) -> None:
    """Refuse a token that was used: the sentence names the request that used it.

    Raises:
        Refused: the token was used within a day.
    """
    if (first := used_before(turn, scope, request)) is not None:
        raise request_error(
            "DuplicateRequest",
            f'The idempotency token "{request["UniqueRequestToken"]}" has already been processed '
            f"by request {first}.",
        )
