"""Plain invitation links as a recruiter: for labs and volunteers, with no platform between.

Its books are a table of the campaign's own database. Workers hand in by finishing: the completion
code that they get stands in their row. Nothing is paid here: an approval or a bonus is a line that
says who is to get what, and `link_payments` takes note of what was paid by hand.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import sqlalchemy as sa

from collection.campaign import Campaign
from collection.database import Database
from collection.money.cents import from_cents, to_cents
from collection.participation import PAID
from collection.recruiting.link_places import opened
from collection.recruiting.recruiter import (
    AlreadyDoneError,
    NotThereError,
    Order,
    PaidBonus,
    Posting,
    RecruiterError,
    Submission,
    SubmissionState,
)
from collection.tables import link_books, participants


class Link:
    """The links of one campaign. A submission's id is its worker and the number of their visit."""

    name = "link"
    settling_seconds = 0.0

    def __init__(
        self, database: Database, campaign: Campaign, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._campaign = campaign.name
        self._clock = clock

    def publish(self, order: Order) -> str:
        """Open the links; the posting's id is its token."""
        written = self._write(
            order.token,
            "posting",
            posting=order.token,
            payload={
                "assignments": order.assignments,
                "reward": to_cents(order.reward),
                "expires_at": self._clock() + order.lifetime_seconds,
            },
        )
        if not written:
            raise AlreadyDoneError("this posting was opened before", order.token)
        return order.token

    def postings(self) -> Iterator[Posting]:
        """List what was opened, with how many have come and finished since."""
        for posting, _ in self._books():
            yield posting

    def extend(self, posting: str, *, assignments: int, seconds: int, token: str) -> None:
        """Add places and time, once for a token."""
        ends, now = self._posting(posting).expires_at, self._clock()
        payload = {
            "assignments": assignments,
            "expires_at": max(ends, now + seconds) if seconds else ends,
            "at": now,
        }
        self._write(token, "extend", posting=posting, payload=payload)

    def expire(self, posting: str) -> None:
        """Close a posting. The server lets in whoever has a link until it is paused or drained."""
        self._posting(posting)
        now = self._clock()
        self._write(f"expire/{posting}/{now:.0f}", "expire", posting=posting)

    def submissions(self, posting: str) -> Iterator[Submission]:
        """List those who have finished and are paid, with the code that they were shown."""
        found = next((visits for one, visits in self._books() if one.id == posting), None)
        if found is None:
            raise NotThereError(f"no posting {posting}")
        yield from self._handed_in(posting, found)

    def approve(self, submission: str, *, message: str = "", override: bool = False) -> None:
        """Write down that the reward is to be paid."""
        posting, one = self._submission(submission)
        if one.state == "rejected" and not override:
            raise RecruiterError("rejected before: override the rejection to approve it")
        self._write(
            f"approve/{submission}",
            "approve",
            posting=posting.id,
            submission=submission,
            worker=one.worker,
            amount=posting.reward,
            reason=message,
        )

    def reject(self, submission: str, *, reason: str) -> None:
        """Write down that the reward is not to be paid."""
        posting, one = self._submission(submission)
        if one.state == "approved":
            raise RecruiterError("approved before: what was promised is paid")
        self._write(
            f"reject/{submission}",
            "reject",
            posting=posting.id,
            submission=submission,
            worker=one.worker,
            reason=reason,
        )

    def bonus(
        self, *, worker: str, submission: str, amount: Decimal, reason: str, token: str
    ) -> None:
        """Write down that a bonus is to be paid."""
        posting, one = self._submission(submission)
        if one.worker != worker:
            raise RecruiterError(f"{submission} is not {worker}'s")
        written = self._write(
            token,
            "bonus",
            posting=posting.id,
            submission=submission,
            worker=worker,
            amount=amount,
            reason=reason,
        )
        if not written:
            raise AlreadyDoneError("this bonus was written down before")

    def bonuses(self, posting: str) -> Iterator[PaidBonus]:
        """List the bonuses that have been paid, as far as that has been noted."""
        for row in self._rows("bonus", posting=posting):
            if row.paid_at is not None:
                amount = from_cents(row.amount)
                yield PaidBonus(
                    posting, row.submission, row.worker, amount, row.reason, row.paid_at
                )

    def qualify(self, qualification: str, worker: str, value: int | None) -> None:
        """Nothing to do: the server itself counts visits, and invites nobody."""

    def notify(self, workers: Sequence[str], *, subject: str, text: str) -> tuple[str, ...]:
        """Nobody can be written to: we know no addresses."""
        return tuple(workers)

    def balance(self) -> Decimal | None:
        """There is no account."""
        return None

    def _posting(self, posting: str) -> Posting:
        found = next((one for one in self.postings() if one.id == posting), None)
        if found is None:
            raise NotThereError(f"no posting {posting}")
        return found

    def _submission(self, submission: str) -> tuple[Posting, Submission]:
        for posting, visits in self._books():
            mine = [one for one in visits if f"{one.worker}/{one.assignment}" == submission]
            for handed_in in self._handed_in(posting.id, mine) if mine else ():
                return posting, handed_in
        raise NotThereError(f"{submission} has not finished, or its participation is not paid")

    def _handed_in(self, posting: str, visits: Sequence[Any]) -> Iterator[Submission]:
        decided = {row.token for row in self._rows("approve", "reject")}
        for visit in visits:
            if visit.finished_at is None or visit.outcome not in PAID:
                continue
            id = f"{visit.worker}/{visit.assignment}"
            state: SubmissionState = "submitted"
            if f"approve/{id}" in decided:
                state = "approved"
            elif f"reject/{id}" in decided:
                state = "rejected"
            answers = {"code": visit.code} if visit.code else {}
            yield Submission(id, posting, visit.worker, state, visit.finished_at, answers)

    def _books(self) -> list[tuple[Posting, list[Any]]]:
        """Return each posting with those who came to it."""
        query = sa.select(participants).where(participants.c.campaign == self._campaign)
        with self._database.read() as reader:
            visits = reader.execute(
                query.order_by(participants.c.joined_at, participants.c.id)
            ).all()
        now = self._clock()
        return [
            (
                Posting(
                    id=one.posting,
                    token=one.token,
                    reward=one.reward,
                    assignments=one.assignments,
                    open=now < one.ends,
                    expires_at=one.ends,
                    pending=sum(visit.finished_at is None for visit in one.visits),
                    available=one.free if now < one.ends else 0,
                ),
                one.visits,
            )
            for one in opened(self._rows("posting", "extend", "expire"), visits)
        ]

    def _rows(self, *kinds: str, posting: str | None = None) -> list[Any]:
        query = sa.select(link_books).where(
            link_books.c.campaign == self._campaign, link_books.c.kind.in_(kinds)
        )
        if posting is not None:
            query = query.where(link_books.c.posting == posting)
        with self._database.read() as reader:
            return list(reader.execute(query.order_by(link_books.c.at, link_books.c.token)))

    def _write(
        self,
        token: str,
        kind: str,
        *,
        amount: Decimal = Decimal(0),
        payload: dict[str, Any] | None = None,
        **values: Any,
    ) -> bool:
        """Write a line unless its token is there; say whether it was written."""
        insert = self._database.insert(link_books).values(
            campaign=self._campaign,
            token=token,
            kind=kind,
            amount=to_cents(amount),
            payload=msgspec.json.encode(payload or {}).decode(),
            at=self._clock(),
            **values,
        )
        with self._database.writing.begin() as connection:
            return bool(connection.execute(insert.on_conflict_do_nothing()).rowcount)
