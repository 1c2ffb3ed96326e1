"""`campaign launch`: offer as many places as the photos that are left need, and no more.

What is missing is worked out and written into the ledger in one transaction, from the database and
what the platform showed, so that two launches at once, or one after a crash, do not offer twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from decimal import Decimal

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from collection.campaign import Campaign
from collection.database import Database
from collection.money import ledger
from collection.money.calls import publish
from collection.money.carry_out import Carried, carry_out
from collection.money.ledger import Row
from collection.money.pay import dearest_bonus, fees_of
from collection.recruiting import qualifications
from collection.recruiting.hits import external_question, templates_of
from collection.recruiting.pace import cut, places_to_offer
from collection.recruiting.recruiter import Order, Recruiter
from collection.recruiting.synchronise import synchronise
from collection.tables import participants, photos, postings

CHAT = "chat/"  # what the key of a chat posting's publish row begins with
DAY = 86400


class Need(msgspec.Struct, frozen=True):
    """What a launch goes by: conversations not completed, places open, people waiting."""

    conversations_left: int
    open_places: int
    waiting: int


class Planned(msgspec.Struct, frozen=True):
    """One posting to publish, and what it reserves of the budget."""

    key: str
    assignments: int
    reward: Decimal
    amount: Decimal
    fee: Decimal
    promised: Decimal


class Launched(msgspec.Struct, frozen=True):
    """What a launch found, intended and did; with a dry run nothing was done."""

    dry_run: bool
    need: Need
    places: int
    postings: tuple[Planned, ...]
    done_workers: int  # who may not take part again, and are told to the platform now
    carried: Carried
    committed: Decimal
    budget: Decimal
    currency: str


def launch(
    database: Database,
    recruiter: Recruiter,
    campaign: Campaign,
    *,
    pace: bool = False,
    dry_run: bool = False,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
    say: Callable[[str], None] = lambda line: None,
) -> Launched:
    """Publish what is missing; safe to repeat, which tops up what has become missing since.

    With `pace` no more than `recruiting.open_at_once` places are open at a time.

    Raises:
        BudgetError: the budget does not cover all of it; then nothing new is published.
        DataError: the platform cannot be used.
    """
    carried = Carried()
    if not dry_run:  # what an earlier run has left counts as open only once it is
        carried = carry_out(database, recruiter, campaign, clock=clock, sleep=sleep, say=say)
    synchronise(database, recruiter, campaign, clock=clock)
    with database.writing.connect() as connection, connection.begin() as transaction:
        ledger.lock(connection, campaign)
        need = need_of(connection, campaign)
        at_once = campaign.recruiting.open_at_once if pace else None
        came, there = _came_before(connection, campaign)
        places = came + places_to_offer(
            need.conversations_left, need.open_places + there, need.waiting, at_once
        )
        planned = intend(connection, campaign, recruiter.name, places, clock())
        done = qualifications.intend_done(connection, campaign, clock())
        committed = ledger.committed(connection, campaign)
        if dry_run:
            transaction.rollback()
    if not dry_run and (planned or done) and carried.stopped is None:
        carried = carry_out(database, recruiter, campaign, clock=clock, sleep=sleep, say=say)
        synchronise(database, recruiter, campaign, clock=clock)
    again: Launched | None = None
    if carried.found and not carried.stopped:  # what was published before may have no places left
        again = launch(database, recruiter, campaign, pace=pace, clock=clock, sleep=sleep, say=say)
    return Launched(
        dry_run,
        need,
        places,
        tuple(planned) + (again.postings if again else ()),
        len(done),
        carried.then(again.carried) if again else carried,
        again.committed if again else committed,
        campaign.pay.budget,
        campaign.pay.currency,
    )


def need_of(connection: Connection, campaign: Campaign) -> Need:
    """Count what is left to do and what is open, counting calls that are still to be made."""
    name = campaign.name
    left = connection.execute(
        sa.select(sa.func.coalesce(sa.func.sum(photos.c.wanted - photos.c.completed), 0)).where(
            photos.c.campaign == name, photos.c.completed < photos.c.wanted
        )
    ).scalar_one()
    waiting = connection.execute(
        sa.select(sa.func.count()).where(
            participants.c.campaign == name, participants.c.stage == "waiting"
        )
    ).scalar_one()
    return Need(int(left), _open_places(connection, campaign), int(waiting))


def _came_before(connection: Connection, campaign: Campaign) -> tuple[int, int]:
    """Count who came by a link before any posting was opened, and who of them is still there: they
    take places of the first, or nobody could be paid."""
    if campaign.recruiting.recruiter != "link" or _chat_rows(connection, campaign):
        return 0, 0
    finished = participants.c.finished_at
    came, through = connection.execute(
        sa.select(sa.func.count(), sa.func.count(finished)).where(
            participants.c.campaign == campaign.name
        )
    ).one()
    return int(came), int(came) - int(through)


def intend(
    connection: Connection, campaign: Campaign, platform: str, places: int, now: float
) -> list[Planned]:
    """Write the postings for so many places into the ledger.

    Raises:
        BudgetError: the budget does not cover them.
    """
    fees = fees_of(campaign.pay, platform)
    promise = dearest_bonus(campaign.pay, fees)
    known = len(_chat_rows(connection, campaign))
    planned = []
    for number, size in enumerate(cut(places, campaign.recruiting.assignments_per_posting), 1):
        call = publish(
            f"{CHAT}{known + number}", order_of(campaign, platform, size), fees, promise=promise
        )
        ledger.intend(connection, campaign, call, now=now)
        planned.append(
            Planned(call.key, size, campaign.pay.reward, call.amount, call.fee, call.promised)
        )
    return planned


def order_of(campaign: Campaign, platform: str, assignments: int) -> Order:
    """Return the order for a chat posting; the ledger gives it its token."""
    terms = campaign.recruiting
    template = templates_of(campaign).hit("chat")
    url = chat_url(campaign)
    return Order(
        token="",
        kind="chat",
        title=template.title,
        description=template.description,
        keywords=template.keywords,
        reward=campaign.pay.reward,
        assignments=assignments,
        assignment_seconds=terms.assignment_minutes * 60,
        lifetime_seconds=terms.lifetime_days * DAY,
        auto_approval_seconds=terms.approval_days * DAY,
        question=external_question(url, terms.frame_height) if platform == "mturk" else url,
        requirements=qualifications.requirements(campaign),
    )


def chat_url(campaign: Campaign) -> str:
    """Return the address at which a campaign's workers come in."""
    return f"{campaign.recruiting.url.rstrip('/')}/join/{campaign.name}"


def _chat_rows(connection: Connection, campaign: Campaign) -> Sequence[Row]:
    rows = ledger.calls(connection, campaign, kinds=("publish",))
    return [row for row in rows if row.key.startswith(CHAT)]


def _open_places(connection: Connection, campaign: Campaign) -> int:
    """Places that are offered or accepted: as the platform showed, else as they were ordered."""
    shown = {
        row.id: row.pending + (row.available if row.open else 0)
        for row in connection.execute(
            sa.select(postings).where(postings.c.campaign == campaign.name)
        )
    }
    places = 0
    for row in _chat_rows(connection, campaign):
        if row.state in ledger.OPEN:
            places += row.units
        elif row.state == "confirmed":
            places += shown.get(row.posting or "", row.units)
    extending = ledger.calls(connection, campaign, kinds=("extend",), states=ledger.OPEN)
    return places + sum(row.units for row in extending)
