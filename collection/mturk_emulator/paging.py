"""Lists in pages, by the number of the last row seen: what is added meanwhile shifts nothing."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Row

from collection.mturk_emulator.refusals import invalid_value
from collection.mturk_emulator.turn import Turn

DEFAULT_RESULTS = 10  # what a client gets that does not ask for 100


def page(
    turn: Turn,
    statement: sa.Select[Any],
    seq: sa.Column[Any],
    request: Mapping[str, Any],
    *,
    newest_first: bool = False,
) -> tuple[list[Row[Any]], str | None]:
    """Return the rows of one page, and the token of the next one.

    As on the platform a full page has a token even if nothing follows: the last page may be empty.

    Raises:
        Refused: the token is none of ours.
    """
    limit = request.get("MaxResults", DEFAULT_RESULTS)
    if token := request.get("NextToken"):
        last = _read(token)
        statement = statement.where(seq < last if newest_first else seq > last)
    rows = turn.all(statement.order_by(seq.desc() if newest_first else seq).limit(limit))
    return rows, _write(rows[-1].seq) if len(rows) == limit else None


def listed(name: str, items: list[dict[str, Any]], token: str | None) -> dict[str, Any]:
    """Return a page as the API answers it."""
    answer = {name: items, "NumResults": len(items)}
    return answer if token is None else {**answer, "NextToken": token}


def _write(seq: int) -> str:
    return base64.urlsafe_b64encode(f"after {seq}".encode()).decode()


def _read(token: str) -> int:
    try:
        word, _, number = base64.urlsafe_b64decode(token).decode().partition(" ")
        if word != "after":
            raise ValueError(word)
        return int(number)
    except (binascii.Error, ValueError) as error:
        raise invalid_value("NextToken", token) from error
