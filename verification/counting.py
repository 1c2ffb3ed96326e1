"""Which votes count: one for each reviewer and dialogue, on dialogues that there are."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timezone

import msgspec

from verification.votes import Vote, in_order

_LONG_AGO = datetime.min.replace(tzinfo=timezone.utc)


class Sifted(msgspec.Struct, frozen=True):
    """The votes that count, and how many do not, by why.

    `repeated` said the same twice and counts once. `changed` contradicts a later vote of the same
    reviewer on the same dialogue, which counts instead. `contradictory` are those of which nobody
    knows which came later: none of them counts.
    """

    votes: list[Vote]
    unknown_items: list[int]  # dialogue ids, ascending, each once
    unknown: int
    repeated: int
    changed: int
    contradictory: int


def sift(votes: Iterable[Vote], known: Collection[int]) -> Sifted:
    """Keep at most one vote for each reviewer and known dialogue, in the order they came."""
    by_place: dict[tuple[int, str], list[Vote]] = {}
    unknown = []
    for vote in votes:
        if vote.dialogue_id in known:
            by_place.setdefault((vote.dialogue_id, vote.reviewer), []).append(vote)
        else:
            unknown.append(vote.dialogue_id)
    kept: list[Vote] = []
    repeated = changed = contradictory = 0
    for given in by_place.values():
        latest = _latest(given)
        if not latest:
            contradictory += len(given)
            continue
        kept.append(_merged(latest))
        repeated += len(latest) - 1
        changed += len(given) - len(latest)
    return Sifted(kept, sorted(set(unknown)), len(unknown), repeated, changed, contradictory)


def _latest(given: list[Vote]) -> list[Vote]:
    """Return the votes with the verdict that was given last; none if that cannot be known."""
    if len({vote.verdict for vote in given}) == 1:
        return given
    if any(vote.at is None for vote in given):
        return []
    end = max(_moment(vote) for vote in given)
    last = {vote.verdict for vote in given if _moment(vote) == end}
    return [vote for vote in given if vote.verdict in last] if len(last) == 1 else []


def _moment(vote: Vote) -> datetime:
    if vote.at is None:
        return _LONG_AGO
    return vote.at if vote.at.tzinfo else vote.at.replace(tzinfo=timezone.utc)


def _merged(same: list[Vote]) -> Vote:
    if len(same) == 1:
        return same[0]
    last = max(same, key=_moment)
    reasons = in_order(reason for vote in same for reason in vote.reasons)
    return msgspec.structs.replace(last, reasons=reasons)
