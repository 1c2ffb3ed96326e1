"""A small campaign with money in it: people in the database, a platform, and what may go wrong."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from collection.campaign import Campaign, parse_campaign
from collection.database import Database
from collection.money import calls, ledger
from collection.money.carry_out import carry_out
from collection.money.pay import dearest_bonus, fees_of
from collection.recruiting.recruiter import NotThereError, Order, TryAgainError
from collection.recruiting.simulated import SimulatedRecruiter
from collection.settlement import new_code
from collection.tables import campaigns, participants

T = TypeVar("T")
PAY = {
    "reward": "0.20",
    "bonus": {"complete": "1.30", "partner_left": "0.55"},
    "budget": "100.00",
    "compensate_after_hours": 1,
}
READING = ("postings", "submissions", "bonuses", "balance")


class Killed(BaseException):
    """Stands for `kill -9`: nothing of ours runs after it."""


class Clock:
    """Time that passes when somebody sleeps, or is told to."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Trouble:
    """Draws what goes wrong at a call, as long as there is some left."""

    def __init__(self, draw: random.Random, clock: Clock, left: int) -> None:
        self.draw, self.clock, self.left = draw, clock, left
        self.beside: Callable[[], Any] = lambda: None  # what another process does meanwhile
        self.seen: set[str] = set()

    def __call__(self, moment: str, operation: str) -> None:
        if self.left <= 0 or self.draw.random() < 0.7:
            return
        self.left -= 1
        what = self.draw.choice(["kill", "no answer", "slow", "not yet", "beside", "beside"])
        self.seen.add(f"{what} {moment} {operation}")
        if what == "kill":
            raise Killed
        if what == "no answer":  # before: throttled; after: the connection was cut
            raise TryAgainError(f"no answer to {operation}")
        if what == "slow":
            self.clock.now += self.draw.choice([100.0, 13 * 3600.0])
        if what == "not yet" and moment == "before" and operation in ("approve", "bonus"):
            raise NotThereError("does not exist yet")
        if what == "beside" and operation not in READING:
            self.clock.now += self.draw.choice([0.0, 5.0, 100.0])
            self.beside()


class Scene:
    """One campaign, its platform, and processes that die and are started again."""

    def __init__(
        self,
        database: Database,
        name: str,
        *,
        seed: int = 0,
        troubles: int = 0,
        books: Path | str = ":memory:",
        **pay: Any,
    ) -> None:
        self.database, self.clock, self.draw = database, Clock(), random.Random(seed)
        self.campaign: Campaign = parse_campaign({"name": name, "pay": PAY | pay})
        self.trouble = Trouble(self.draw, self.clock, troubles)
        self.recruiter = SimulatedRecruiter(books, clock=self.clock, fault=self.trouble)
        self.fees = fees_of(self.campaign.pay, "simulated")
        with database.writing.begin() as connection:
            connection.execute(
                database.insert(campaigns).on_conflict_do_nothing(),
                {"name": name, "changed_at": 0.0},
            )

    def until_done(self, action: Callable[[], T]) -> T:
        """Do something; killed in the middle of it, do it again, perhaps much later."""
        while True:
            try:
                return action()
            except Killed:
                self.clock.now += self.draw.choice([0.0, 1.0, 100.0, 13 * 3600.0, 25 * 3600.0])

    def intend(self, *intended: calls.Call) -> list[int]:
        """Write calls down in one transaction."""
        with self.database.writing.begin() as connection:
            return [
                ledger.intend(connection, self.campaign, call, now=self.clock())
                for call in intended
            ]

    def carry_out(self, **options: Any) -> Any:
        """Carry out what is intended."""
        return carry_out(
            self.database, self.recruiter, self.campaign,
            clock=self.clock, sleep=self.clock.sleep, **options,
        )  # fmt: skip

    def publish(self, key: str, assignments: int) -> calls.Call:
        """A call that publishes a posting of chats."""
        promise = dearest_bonus(self.campaign.pay, self.fees)
        return calls.publish(key, self.order(assignments), self.fees, promise=promise)

    def order(self, assignments: int) -> Order:
        """A posting of chats."""
        return Order(
            token="", kind="chat", title="Chat", description="about a photo", keywords="chat",
            reward=self.campaign.pay.reward, assignments=assignments, assignment_seconds=3600,
            lifetime_seconds=100 * 86400, auto_approval_seconds=90 * 86400, question="<x/>",
        )  # fmt: skip

    def person(self, worker: str, assignment: str, reason: str) -> str:
        """Somebody comes, and it ends for a reason; return the completion code."""
        code = new_code()
        with self.database.writing.begin() as connection:
            connection.execute(
                sa.insert(participants).values(
                    campaign=self.campaign.name, worker=worker, assignment=assignment,
                    stage="done", joined_at=self.clock() - 600, last_seen=self.clock(),
                    finished_at=self.clock(), reason=reason, code=code,
                    outcome="complete" if reason == "submitted" else "incomplete",
                )
            )  # fmt: skip
        return code

    def rows(self, *kinds: calls.CallKind) -> list[ledger.Row]:
        """The campaign's rows of some kinds."""
        with self.database.read() as reader:
            return ledger.calls(reader, self.campaign, kinds=kinds or None)

    def committed(self) -> Decimal:
        """What of the budget is committed."""
        with self.database.read() as reader:
            return ledger.committed(reader, self.campaign)

    def received(self, worker: str) -> Decimal:
        """What a worker has got by the platform's books."""
        total = Decimal(0)
        for posting in self.recruiter.postings():
            for one in self.recruiter.submissions(posting.id):
                if one.worker == worker and one.state == "approved":
                    total += posting.reward
            for bonus in self.recruiter.bonuses(posting.id):
                if bonus.worker == worker:
                    total += bonus.amount
        return total
