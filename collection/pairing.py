"""Who talks with whom about which photo: a pure choice, and its claim in the database.

The choice: the longest waiting first, with the longest waiting one that suits, about the photo
with the fewest conversations that neither has seen. The claim locks the campaign's row, so that
one process pairs at a time, and moves both participants by compare-and-set.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from collection.campaign import Campaign
from collection.conversation import deadline
from collection.database import Database
from collection.events import pair, replay
from collection.journal import event_row
from collection.persona import describe
from collection.settlement import move
from collection.tables import campaigns, conversations, events, met, participants, photos, seen

PAIRED_AT_ONCE = 200  # workers looked at in one go; the rest follow in the next


class Waiting(msgspec.Struct, frozen=True):
    """Somebody in the waiting room."""

    participant: int
    worker: str
    seen: frozenset[str] = frozenset()
    met: frozenset[str] = frozenset()


class Available(msgspec.Struct, frozen=True):
    """A photo that wants `free` more conversations (one or more) and has had `load` of them."""

    photo_id: str
    free: int
    load: int = 0


class Choice(msgspec.Struct, frozen=True):
    """Two participants and a photo."""

    first: int
    second: int
    photo_id: str


def choose_pairs(
    waiting: Sequence[Waiting], available: Sequence[Available], *, same_pair_again: bool = False
) -> list[Choice]:
    """Pair those who wait, the longest first; of photos with the same load the first is taken.

    Never a worker with themselves, whatever number of tabs or assignments; never two who have met,
    unless allowed; never a photo that one of them has seen; no photo more often than it is free.
    """
    free = list(available)
    left = list(waiting)
    pairs: list[Choice] = []
    busy: set[str] = set()  # workers paired in this very go
    while left and free:
        first = left.pop(0)
        if first.worker in busy:
            continue
        for second in left:
            if second.worker in busy or second.worker == first.worker:
                continue
            if second.worker in first.met and not same_pair_again:
                continue
            photo = _photo_for(first, second, free)
            if photo is None:
                continue
            free.remove(photo)
            if photo.free > 1:
                free.append(Available(photo.photo_id, photo.free - 1, photo.load + 1))
            busy |= {first.worker, second.worker}
            left.remove(second)
            pairs.append(Choice(first.participant, second.participant, photo.photo_id))
            break
    return pairs


def pair_waiting(
    connection: Connection, database: Database, campaign: Campaign, now: float, draw: random.Random
) -> list[int]:
    """Pair those who wait, as far as it goes; return the conversations begun."""
    status = connection.execute(
        sa.select(campaigns.c.status).where(campaigns.c.name == campaign.name).with_for_update()
    ).scalar_one()
    if status != "open":
        return []
    waiting = _read_waiting(connection, campaign.name)
    if len(waiting) < 2:
        return []
    choices = choose_pairs(
        waiting,
        _read_available(connection, campaign.name, waiting),
        same_pair_again=campaign.rules.same_pair_again,
    )
    worker_of = {one.participant: one.worker for one in waiting}
    begun: list[int] = []
    for choice in choices:
        two = [choice.first, choice.second]
        draw.shuffle(two)
        begun.append(_begin(connection, database, campaign, choice.photo_id, two, worker_of, now))
    return begun


def _photo_for(first: Waiting, second: Waiting, free: Sequence[Available]) -> Available | None:
    unseen = (p for p in free if p.photo_id not in first.seen and p.photo_id not in second.seen)
    return min(unseen, key=lambda photo: photo.load, default=None)


def _read_waiting(connection: Connection, campaign: str) -> list[Waiting]:
    longest_first = (participants.c.waiting_since, participants.c.id)
    nth = sa.func.row_number().over(partition_by=participants.c.worker, order_by=longest_first)
    room = (
        sa.select(participants.c.id, participants.c.worker, participants.c.waiting_since)
        .add_columns(nth.label("nth"))
        .where(
            participants.c.campaign == campaign,
            participants.c.stage == "waiting",
            participants.c.process.is_not(None),  # nobody is paired with one who is not there
        )
        .subquery()
    )
    rows = connection.execute(
        sa.select(room.c.id, room.c.worker)
        .where(room.c.nth == 1)  # one who waits under many assignments fills no room
        .order_by(room.c.waiting_since, room.c.id)
        .limit(PAIRED_AT_ONCE)
    ).all()
    workers = [row.worker for row in rows]
    photos_of: dict[str, set[str]] = {}
    partners_of: dict[str, set[str]] = {}
    for worker, photo_id in connection.execute(
        sa.select(seen.c.worker, seen.c.photo_id).where(
            seen.c.campaign == campaign, seen.c.worker.in_(workers)
        )
    ):
        photos_of.setdefault(worker, set()).add(photo_id)
    for worker, partner in connection.execute(
        sa.select(met.c.worker, met.c.partner).where(
            met.c.campaign == campaign, met.c.worker.in_(workers)
        )
    ):
        partners_of.setdefault(worker, set()).add(partner)
    return [
        Waiting(
            row.id,
            row.worker,
            frozenset(photos_of.get(row.worker, ())),
            frozenset(partners_of.get(row.worker, ())),
        )
        for row in rows
    ]


def _read_available(
    connection: Connection, campaign: str, waiting: Sequence[Waiting]
) -> list[Available]:
    """The least covered photos: so many that among them is one that each pair has not seen."""
    enough = len(waiting) + len(frozenset().union(*(one.seen for one in waiting)))
    load = photos.c.leased + photos.c.completed
    free = photos.c.wanted - load
    rows = connection.execute(
        sa.select(photos.c.photo_id, free.label("free"), load.label("load"))
        .where(photos.c.campaign == campaign, free > 0)
        .order_by(load, photos.c.rank)
        .limit(enough)
    )
    return [Available(row.photo_id, row.free, row.load) for row in rows]


def _begin(
    connection: Connection,
    database: Database,
    campaign: Campaign,
    photo_id: str,
    two: list[int],
    worker_of: dict[int, str],
    now: float,
) -> int:
    sharer, receiver = two
    photo = connection.execute(
        sa.select(photos).where(photos.c.campaign == campaign.name, photos.c.photo_id == photo_id)
    ).one()
    new = connection.execute(
        sa.insert(conversations)
        .values(
            campaign=campaign.name,
            photo_id=photo_id,
            sharer=sharer,
            receiver=receiver,
            phase="paired",
            seq=1,
            started_at=now,
        )
        .returning(conversations.c.id)
    ).scalar_one()
    labels = msgspec.json.decode(photo.labels, type=tuple[str, ...])
    facts = {
        "sharer": sharer,
        "receiver": receiver,
        "photo_id": photo_id,
        "photo_url": photo.url,
        "description": describe(labels, random.Random(f"{campaign.seed}:{new}")),  # noqa: S311 - no secret
    }
    first = pair(facts, now)
    connection.execute(sa.insert(events), [event_row(new, first)])
    connection.execute(
        sa.update(conversations)
        .where(conversations.c.id == new)
        .values(deadline=deadline(replay([first]), campaign.timeouts))
    )
    leased = connection.execute(
        sa.update(photos)
        .where(
            photos.c.campaign == campaign.name,
            photos.c.photo_id == photo_id,
            photos.c.leased + photos.c.completed < photos.c.wanted,
        )
        .values(leased=photos.c.leased + 1)
    )
    moved = [move(connection, one, "chatting", conversation=new, deadline=None) for one in two]
    if leased.rowcount != 1 or not all(moved):
        raise RuntimeError("the waiting room changed under its lock")
    names = [worker_of[one] for one in two]
    connection.execute(
        database.insert(seen).on_conflict_do_nothing(),
        [{"campaign": campaign.name, "worker": name, "photo_id": photo_id} for name in names],
    )
    connection.execute(
        database.insert(met).on_conflict_do_nothing(),
        [
            {"campaign": campaign.name, "worker": one, "partner": another}
            for one, another in (names, names[::-1])
        ],
    )
    return int(new)
