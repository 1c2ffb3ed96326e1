"""`campaign review`: what was handed in, and the decisions about it.

A decision goes into the ledger and is carried out from there. Nobody is rejected automatically;
what is approved automatically are endings that the campaign file names, of submissions about which
nothing is odd.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from typing import Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from collection.campaign import Campaign
from collection.money import ledger
from collection.money.calls import Call, accept, reject
from collection.money.ledger import Row
from collection.money.pay import PaidKind
from collection.money.people import Person, finished
from collection.recruiting.matching import Finding
from collection.recruiting.recruiter import Submission, SubmissionState
from collection.tables import participants, submissions
from photochat.errors import DataError

Action = Literal["approve", "reject", "override"]
ACTIONS: tuple[Action, ...] = ("approve", "reject", "override")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # MTurk refuses these, by its API reference


class Entry(msgspec.Struct, frozen=True):
    """One submission, as a reviewer sees it.

    `kind` is how the participation ended, None where it is not paid or nobody's; `decision` is what
    was decided here and `decided` whether the platform has confirmed it.
    """

    submission: str
    posting: str
    worker: str
    state: SubmissionState
    participant: int | None
    kind: PaidKind | None
    reason: str | None
    finding: Finding | None
    conversation: int | None
    submitted_at: float
    deadline: float | None
    decision: Action | None
    decided: ledger.State | None
    problem: str | None

    @property
    def is_open(self) -> bool:
        """Whether a decision is to be made: there is none, or the platform refused it for good."""
        return self.state == "submitted" and self.decided in (None, "failed-final")

    @property
    def clear(self) -> bool:
        """Whether the server's own record proves the work: a missing code is then no matter."""
        return self.kind is not None and self.finding in (None, "no-code")


class Decision(msgspec.Struct, frozen=True):
    """What shall be done with a submission; `reason` is what the worker reads."""

    submission: str
    action: Action
    reason: str = ""


def entries(reader: Connection, campaign: Campaign) -> list[Entry]:
    """List all chat submissions, those first whose deadline comes first."""
    decided: dict[str, Row] = {}
    for row in ledger.calls(reader, campaign, kinds=ACTIONS):
        if row.submission is not None and row.state != "withdrawn":
            decided[row.submission] = row
    chats = [
        row.posting
        for row in ledger.calls(reader, campaign, kinds=("publish",))
        if row.payload["order"]["kind"] == "chat"
    ]
    people = {person.participant: person for person in finished(reader, campaign.name)}
    query = (
        sa.select(submissions, participants.c.conversation)
        .select_from(
            submissions.outerjoin(participants, participants.c.id == submissions.c.participant)
        )
        .where(submissions.c.campaign == campaign.name, submissions.c.posting.in_(chats))
        .order_by(submissions.c.deadline, submissions.c.submitted_at, submissions.c.id)
    )
    return [
        _entry(row, people.get(row.participant), decided.get(row.id))
        for row in reader.execute(query)
    ]


def decide(
    connection: Connection,
    campaign: Campaign,
    platform: str,
    decisions: Iterable[Decision],
    *,
    now: float | None = None,
) -> int:
    """Write decisions into the ledger, all or none; return how many are new.

    The same decision twice is one, and one that the platform refused for good is none: it gives way
    to the new one. To be called in a writing transaction; `carry_out` does the rest.

    Raises:
        DataError: a submission is not known, was decided otherwise or stands twice with different
            decisions, or a reason is missing.
    """
    now = time.time() if now is None else now
    asked: dict[str, Decision] = {}
    for decision in decisions:
        if asked.setdefault(decision.submission, decision) != decision:
            raise DataError("has two different decisions: leave one", field=decision.submission)
    # Holds the lock as well: of two reviewers at once, the second sees what the first decided.
    ledger.withdraw(connection, campaign, ACTIONS, asked, now=now)
    known = {entry.submission: entry for entry in entries(connection, campaign)}
    calls = []
    for decision in asked.values():
        entry = known.get(decision.submission)
        if entry is None:
            raise DataError("no such chat submission of this campaign", field=decision.submission)
        call = _call(connection, campaign, platform, entry, decision)
        if call is not None:
            calls.append(call)
    for call in calls:
        ledger.intend(connection, campaign, call, now=now)
    return len(calls)


def approvable(found: Iterable[Entry], campaign: Campaign) -> list[Decision]:
    """Return the approvals that the campaign file's [review] allows without anybody looking.

    Where a decision was refused, somebody has to look.
    """
    return [
        Decision(entry.submission, "approve")
        for entry in found
        if entry.is_open
        and entry.decision is None
        and entry.clear
        and entry.kind in campaign.review.approve
    ]


def check_reason(campaign: Campaign, platform: str, reason: str) -> None:
    """Refuse a reason for rejecting that the worker could not act on.

    Raises:
        DataError: it is too short, or says no more than that the work is rejected.
    """
    text = " ".join(reason.split())
    least = campaign.review.min_reason_chars
    if platform == "prolific":
        from collection.recruiting.prolific import MIN_REJECTION_CHARS

        least = max(least, MIN_REJECTION_CHARS)
    if len(text) < least or len(set(text.lower().split())) < 6:
        raise DataError(
            f"a rejection needs a reason of {least} characters or more, this one has {len(text)}: "
            "say what was wrong, where, and what the worker can do now; a rejection counts "
            "against their account",
            field="reason",
        )


def check_message(platform: str, text: str) -> None:
    """Refuse what the platform takes for no message to a worker.

    Raises:
        DataError: it is too long, or has characters that nobody can read.
    """
    if _CONTROL.search(text):
        raise DataError("has a control character: type it anew", field="reason")
    if platform == "mturk":
        from collection.recruiting.mturk import MAX_FEEDBACK

        if len(text) > MAX_FEEDBACK:
            raise DataError(
                f"MTurk takes {MAX_FEEDBACK:,} characters at most, this one has {len(text):,}",
                field="reason",
            )


def _call(
    connection: Connection, campaign: Campaign, platform: str, entry: Entry, decision: Decision
) -> Call | None:
    """Return the call for a decision; None where it stands already."""
    action = decision.action
    if entry.decision == action:
        return None
    done = {"approve": "approved", "override": "approved", "reject": "rejected"}[action]
    if entry.decision is None and entry.state == done:
        return None
    if action == "approve" and (entry.state == "rejected" or entry.decision == "reject"):
        raise DataError(
            "was rejected: override the rejection instead (decision override)",
            field=entry.submission,
        )
    if action == "reject" and (
        entry.state == "approved" or entry.decision in ("approve", "override")
    ):
        raise DataError("was approved, which cannot be taken back", field=entry.submission)
    if action == "override" and entry.state != "rejected" and entry.decision != "reject":
        raise DataError("was not rejected: approve it instead", field=entry.submission)
    submission = Submission(
        entry.submission, entry.posting, entry.worker, entry.state, entry.submitted_at, {}
    )
    check_message(platform, decision.reason.strip())
    if action == "reject":
        check_reason(campaign, platform, decision.reason)
        return reject(submission, reason=decision.reason.strip(), participant=entry.participant)
    amount, fee, _ = ledger.postings(connection, campaign)[entry.posting].unit
    return accept(
        submission,
        action,
        amount=amount,
        fee=fee,
        participant=entry.participant,
        message=decision.reason.strip(),
    )


def _entry(row: sa.Row[tuple[object, ...]], person: Person | None, decided: Row | None) -> Entry:
    return Entry(
        row.id,
        row.posting,
        row.worker,
        row.state,
        row.participant,
        person.kind if person else None,
        person.reason if person else None,
        row.finding,
        row.conversation,
        row.submitted_at,
        row.deadline,
        decided.kind if decided else None,  # type: ignore[arg-type]
        decided.state if decided else None,
        decided.last_error if decided else None,
    )
