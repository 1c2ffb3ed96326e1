"""Which place of a campaign by links each visit takes: pure rules over its books.

Everybody may come, so places are taken in the order of coming, and what is opened, extended or
closed later moves nobody who has come before.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from collection.money.cents import from_cents

_ORDER = ("posting", "extend", "expire")


class Opened(msgspec.Struct):
    """A posting as its books have it, and the visits that took its places or came beyond them."""

    posting: str
    token: str
    reward: Decimal
    assignments: int
    ends: float
    visits: list[Any] = []

    @property
    def free(self) -> int:
        """How many places nobody has taken."""
        return max(0, self.assignments - len(self.visits))


def opened(rows: Sequence[Any], visits: Sequence[Any]) -> list[Opened]:
    """Return all postings, by the rows of the books and by the visits in the order of coming.

    A visit takes a place of the oldest posting that is open and has one, else it is the newest's,
    beyond its places. Who came before there was any came to all those that were opened before
    anything else happened.
    """
    made = {row.posting: row.at for row in rows if row.kind == "posting"}

    def order(row: Any) -> tuple[float, int, str]:  # clocks are set back
        return max(row.at, made[row.posting]), _ORDER.index(row.kind), row.token

    left = deque(sorted(rows, key=order))
    found: dict[str, Opened] = {}
    first = min(made.values(), default=0.0)
    next_came = next((one.joined_at for one in visits if one.joined_at >= first), math.inf)
    for visit in visits if made else ():
        at = visit.joined_at
        while left and (
            left[0].at <= at
            or (at < first and left[0].kind == "posting" and left[0].at < next_came)
        ):
            _enter(found, left.popleft())
        there = [one for one in found.values() if one.ends > at] or list(found.values())
        next((one for one in there if one.free), there[-1]).visits.append(visit)
    for row in left:
        _enter(found, row)
    return list(found.values())


def _enter(found: dict[str, Opened], row: Any) -> None:
    """Let one line of the books take effect."""
    line = msgspec.json.decode(row.payload)
    if row.kind == "posting":
        reward, places = from_cents(line["reward"]), line["assignments"]
        found[row.posting] = Opened(row.posting, row.token, reward, places, line["expires_at"])
    elif row.kind == "extend":
        found[row.posting].assignments += line["assignments"]
        found[row.posting].ends = line["expires_at"]
    else:
        found[row.posting].ends = min(found[row.posting].ends, row.at)
