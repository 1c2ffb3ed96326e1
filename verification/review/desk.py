"""What the pages of a review work on: the dialogues in memory, votes and places in the database."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
import sqlalchemy as sa

from photochat.database import Database
from photochat.dialogue import Dialogue
from verification.finding import Checked
from verification.review import assignment, voting
from verification.review.progress import Progress, progress
from verification.review.store import transaction
from verification.review.tables import assignments
from verification.review.view import View, view_of
from verification.votes import Vote, in_order

HOLD_SECONDS = 30 * 60.0
GOLD_SHARE = 0.1


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """A review: its dialogues by id, what checks found in them, its pictures, its database."""

    database: Database
    dialogues: Mapping[int, Dialogue]
    findings: Mapping[int, Checked]
    images: Path
    cache: Path
    secret: str
    reviewers: frozenset[str]  # who may sign in; empty: whoever has a signed link
    hold: float = HOLD_SECONDS
    gold_share: float = GOLD_SHARE


class Draft(msgspec.Struct, frozen=True):
    """What the form holds: the vote that was undone, or one that was refused."""

    verdict: str = ""
    reasons: tuple[str, ...] = ()
    comment: str = ""


class Sheet(msgspec.Struct, frozen=True):
    """What a reviewer has before them; no view when nothing is left for them."""

    view: View | None
    draft: Draft
    undo: int | None
    progress: Progress


def sheet(desk: Desk, reviewer: str, now: float) -> Sheet:
    """Give the reviewer a dialogue and return all that the page shows."""
    with transaction(desk.database) as connection:
        number = assignment.claim(
            connection, reviewer, now, hold=desk.hold, gold_share=desk.gold_share
        )
        before = voting.latest_vote(connection, reviewer)
        how_far = progress(connection, reviewer)
        row = connection.execute(_place(number, reviewer)).first()
    if number is None or row is None:
        return Sheet(None, Draft(), before, how_far)
    view = view_of(desk.dialogues[number], desk.findings.get(number))
    reasons = tuple(row.reasons.split(",")) if row.reasons else ()
    return Sheet(view, Draft(row.verdict or "", reasons, row.comment), before, how_far)


def vote(desk: Desk, given: Vote, now: float) -> voting.Answer:
    """Take a vote; the time it took is at most the time since the dialogue was shown."""
    with transaction(desk.database) as connection:
        since = connection.scalar(_place(given.dialogue_id, given.reviewer).with_only_columns(
            assignments.c.since))  # fmt: skip
        elapsed = max(0.0, now - since) if since is not None else 0.0
        seconds = elapsed if given.seconds is None else min(given.seconds, elapsed)
        tidy = msgspec.structs.replace(
            given,
            seconds=round(seconds, 1),
            reasons=in_order(given.reasons) if given.verdict != "accept" else (),
        )
        return voting.vote(connection, tidy, now)


def skip(desk: Desk, reviewer: str, dialogue_id: int, now: float) -> bool:
    """Put a dialogue aside."""
    with transaction(desk.database) as connection:
        return assignment.skip(connection, reviewer, dialogue_id, now)


def take_up_skipped(desk: Desk, reviewer: str, now: float) -> None:
    """Let a reviewer's skipped dialogues come back."""
    with transaction(desk.database) as connection:
        assignment.take_up_skipped(connection, reviewer, now)


def undo(desk: Desk, reviewer: str, dialogue_id: int, now: float) -> bool:
    """Take a vote back and show its dialogue again."""
    with transaction(desk.database) as connection:
        return voting.undo(connection, reviewer, dialogue_id, now, desk.hold)


def was_given(desk: Desk, reviewer: str, dialogue_id: int) -> bool:
    """Say whether the dialogue, and so its photo, has been shown to the reviewer."""
    with desk.database.read() as connection:
        return connection.execute(_place(dialogue_id, reviewer)).first() is not None


def _place(dialogue_id: int | None, reviewer: str) -> sa.Select[tuple[object, ...]]:
    a = assignments.c
    return sa.select(assignments).where(a.dialogue_id == dialogue_id, a.reviewer == reviewer)
