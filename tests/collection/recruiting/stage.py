"""A campaign with a simulated platform: its database, its clock, and workers who come and go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from collection.campaign import Campaign, parse_campaign
from collection.database import Database
from collection.participation import PAID, ending
from collection.recruiting.recruiter import Posting, RecruiterError
from collection.recruiting.simulated import SimulatedRecruiter
from collection.stock import stock
from collection.tables import participants, photos
from tests.collection.conftest import make_photos

NOW = 1_760_000_000.0
PAY = {
    "reward": "0.50",
    "bonus": {"complete": "1.00", "no_partner": "0.25"},
    "budget": "500.00",
}


class Stage:
    """`conversations` are wanted, of as many photos."""

    def __init__(
        self, database: Database, folder: Path, conversations: int = 20, **sections: Any
    ) -> None:
        self.now = NOW
        self.database = database
        self.campaign = parse_campaign(
            {
                "name": "photos",
                "pay": PAY,
                "recruiting": {"recruiter": "simulated", "url": "http://127.0.0.1:1"},
                **sections,
            }
        )
        self.recruiter = SimulatedRecruiter(folder / "platform.db", clock=self.clock)
        pool = make_photos(folder / "images", conversations)
        with database.writing.begin() as connection:
            stock(connection, database, self.campaign, pool, folder / "images", NOW)

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    @property
    def timing(self) -> dict[str, Any]:
        return {"clock": self.clock, "sleep": self.sleep}

    def parts(self) -> tuple[Database, SimulatedRecruiter, Campaign]:
        """What every command begins with."""
        return self.database, self.recruiter, self.campaign

    def with_terms(self, **terms: Any) -> None:
        """Change [recruiting] of the campaign file."""
        recruiting = msgspec.structs.replace(self.campaign.recruiting, **terms)
        self.campaign = msgspec.structs.replace(self.campaign, recruiting=recruiting)

    def shown(self) -> list[Posting]:
        return list(self.recruiter.postings())

    def accept(self, worker: str) -> str:
        """A worker accepts the first posting that has room and that they may see."""
        for posting in self.shown():
            if posting.open and posting.available:
                try:
                    return self.recruiter.accept(posting.id, worker)
                except RecruiterError:
                    continue
        raise AssertionError(f"nothing is left for {worker}")

    def finish(self, worker: str, assignment: str, reason: str = "submitted") -> int:
        """The worker's participation on the chat server ends."""
        outcome = ending(reason)[0]
        with self.database.writing.begin() as connection:
            made = connection.execute(
                sa.insert(participants).values(
                    campaign=self.campaign.name,
                    worker=worker,
                    assignment=assignment,
                    stage="done",
                    joined_at=self.now - 600,
                    last_seen=self.now,
                    finished_at=self.now,
                    outcome=outcome,
                    reason=reason,
                    code=f"CODE{worker.upper()}" if outcome in PAID else None,
                )
            )
            assert made.inserted_primary_key is not None
            return int(made.inserted_primary_key[0])

    def work(self, worker: str, reason: str = "submitted", code: str | None = None) -> str:
        """A worker accepts, takes part and hands in; returns the submission."""
        submission = self.accept(worker)
        self.finish(worker, submission, reason)
        given = f"CODE{worker.upper()}" if code is None else code
        self.recruiter.submit(submission, {"code": given} if given else {})
        return submission

    def complete(self, conversations: int) -> None:
        """So many photos have been talked about."""
        with self.database.writing.begin() as connection:
            ids = connection.execute(
                sa.select(photos.c.photo_id)
                .where(photos.c.completed < photos.c.wanted)
                .limit(conversations)
            ).scalars()
            connection.execute(
                sa.update(photos).where(photos.c.photo_id.in_(list(ids))).values(completed=1)
            )
