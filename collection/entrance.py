"""Coming in and going through the pages: the participant's row, moved step by step.

Each function here takes the writer's connection and runs inside one transaction.
"""

from __future__ import annotations

import statistics
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from collection.campaign import Campaign
from collection.settlement import finish, move
from collection.tables import campaigns, conversations, participants, photos, seen

RECENT_WAITS = 20


class NoTask(Exception):
    """There is nothing to do for this worker now; the code is a key of `participation.NO_TASK`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Arrival(NamedTuple):
    """Who came, from where, and what their recruiter's link says."""

    worker: str
    assignment: str | None
    recruiter: dict[str, str]


def enter(
    connection: Connection,
    campaign: Campaign,
    arrival: Arrival,
    now: float,
    *,
    held: tuple[Any, Any] = (None, None),
) -> Row[Any]:
    """Return the worker's open participation, or begin a new one.

    `held` is the participation and generation that the browser's session holds. Whoever comes
    without them to an open participation starts a new generation: earlier sessions and tokens end,
    and their connection counts as lost until there is a new one.

    Raises:
        NoTask: why there is nothing to do.
    """
    open_one = _open_participation(connection, campaign.name, arrival)
    if open_one is not None:
        if held == (open_one.id, open_one.generation) or open_one.stage == "done":
            return open_one
        return connection.execute(
            sa.update(participants)
            .where(participants.c.id == open_one.id)
            .values(
                generation=participants.c.generation + 1,
                connection=participants.c.connection + 1,
                process=None,
                last_seen=now,
            )
            .returning(participants)
        ).one()
    if code := why_no_task(connection, campaign, arrival.worker):
        raise NoTask(code)
    number = connection.execute(
        sa.select(sa.func.count()).where(
            participants.c.campaign == campaign.name, participants.c.worker == arrival.worker
        )
    ).scalar_one()
    return connection.execute(
        sa.insert(participants)
        .values(
            campaign=campaign.name,
            worker=arrival.worker,
            assignment=arrival.assignment or f"{number + 1}",
            stage="consent",
            joined_at=now,
            last_seen=now,
            recruiter=msgspec.json.encode(arrival.recruiter).decode(),
        )
        .returning(participants)
    ).one()


def why_no_task(connection: Connection, campaign: Campaign, worker: str) -> str | None:
    """Return why this worker cannot begin now, by a key of `NO_TASK`; None if they can."""
    name = campaign.name
    status = connection.execute(
        sa.select(campaigns.c.status).where(campaigns.c.name == name)
    ).scalar_one()
    if status != "open":
        return str(status)
    mine = sa.select(sa.func.count()).where(
        participants.c.campaign == name, participants.c.worker == worker
    )
    if connection.execute(mine.where(participants.c.reason == "check-failed")).scalar_one():
        return "check-failed"
    if _at_limit(connection, campaign, worker):
        return "worker-limit"
    waiting = sa.select(sa.func.count()).where(
        participants.c.campaign == name, participants.c.stage == "waiting"
    )
    if connection.execute(waiting).scalar_one() >= campaign.entry.max_waiting:
        return "waiting-room-full"
    return why_no_photo(connection, name, worker)


def why_no_photo(connection: Connection, campaign: str, worker: str) -> str | None:
    """Return why there is no photo for a worker; None if there is one."""
    unfinished = sa.and_(photos.c.campaign == campaign, photos.c.completed < photos.c.wanted)
    not_seen = ~sa.exists().where(
        seen.c.campaign == campaign, seen.c.worker == worker, seen.c.photo_id == photos.c.photo_id
    )
    free = photos.c.completed + photos.c.leased < photos.c.wanted
    for conditions, code in (
        ((unfinished,), "campaign-complete"),
        ((unfinished, not_seen), "all-photos-seen"),
        ((unfinished, not_seen, free), "photos-in-use"),
    ):
        query = sa.select(photos.c.photo_id).where(*conditions).limit(1)
        if connection.execute(query).first() is None:
            return code
    return None


def why_waiting(connection: Connection, campaign: str, worker: str) -> str | None:
    """Return why this worker in the waiting room cannot be paired now; None if they can."""
    status = connection.execute(
        sa.select(campaigns.c.status).where(campaigns.c.name == campaign)
    ).scalar_one()
    return str(status) if status != "open" else why_no_photo(connection, campaign, worker)


def consent(connection: Connection, participant: int, agreed: bool, now: float) -> bool:
    """Record the answer to the consent page; say whether it could be."""
    if not agreed:
        return finish(connection, participant, "declined", now)
    return move(connection, participant, "instructions", consented_at=now)


def answer_check(
    connection: Connection, campaign: Campaign, participant: int, passed: bool, now: float
) -> None:
    """Let a participant into the waiting room, or count a failed attempt.

    Raises:
        NoTask: meanwhile the worker takes part as often as one may, under other assignments.
    """
    if passed:
        row = get(connection, participant)
        if row is not None and row.stage == "check" and _at_limit(connection, campaign, row.worker):
            raise NoTask("worker-limit")
        wait(connection, campaign, participant, now)
        return
    attempts = connection.execute(
        sa.update(participants)
        .where(participants.c.id == participant, participants.c.stage == "check")
        .values(check_attempts=participants.c.check_attempts + 1)
        .returning(participants.c.check_attempts)
    ).scalar_one_or_none()
    if attempts is not None and attempts >= campaign.entry.check_attempts:
        finish(connection, participant, "check-failed", now)


def wait(connection: Connection, campaign: Campaign, participant: int, now: float) -> bool:
    """Put a participant into the waiting room; one who was there before keeps the place."""
    since = sa.func.coalesce(participants.c.waiting_since, now)
    return move(
        connection,
        participant,
        "waiting",
        waiting_since=since,
        conversation=None,
        last_seen=now,
        deadline=now + campaign.timeouts.waiting,
    )


def attach(
    connection: Connection, participant: int, generation: int, process: str, now: float
) -> Row[Any] | None:
    """Note that a participant's newest connection is here; None if the session is over.

    The row's `connection` is this connection's number: of several the highest wins.
    """
    return connection.execute(
        sa.update(participants)
        .where(participants.c.id == participant, participants.c.generation == generation)
        .values(connection=participants.c.connection + 1, process=process, last_seen=now)
        .returning(participants)
    ).one_or_none()


def detach(connection: Connection, participant: int, number: int, now: float) -> Row[Any] | None:
    """Note that a connection is lost; None if a newer one has taken its place."""
    return connection.execute(
        sa.update(participants)
        .where(participants.c.id == participant, participants.c.connection == number)
        .values(process=None, last_seen=now)
        .returning(participants)
    ).one_or_none()


def place_in_queue(reader: Connection, campaign: str, row: Row[Any]) -> tuple[int, int]:
    """Return the place of one who waits, from 1, and how many wait in all."""
    room = sa.select(sa.func.count()).where(
        participants.c.campaign == campaign, participants.c.stage == "waiting"
    )
    earlier = sa.or_(
        participants.c.waiting_since < row.waiting_since,
        sa.and_(participants.c.waiting_since == row.waiting_since, participants.c.id < row.id),
    )
    before = reader.execute(room.where(earlier)).scalar_one()
    return before + 1, reader.execute(room).scalar_one()


def expected_wait(reader: Connection, campaign: str) -> float | None:
    """Return how long one waits for a partner (median, seconds), by those paired last."""
    rows = reader.execute(
        sa.select(conversations.c.started_at - participants.c.waiting_since)
        .join(
            participants,
            participants.c.id.in_((conversations.c.sharer, conversations.c.receiver)),
        )
        .where(conversations.c.campaign == campaign, participants.c.waiting_since.is_not(None))
        .order_by(conversations.c.id.desc())
        .limit(RECENT_WAITS)
    )
    waits = [max(0.0, wait) for wait in rows.scalars()]
    return statistics.median(waits) if waits else None


def get(connection: Connection, participant: int) -> Row[Any] | None:
    """Return a participant's row."""
    return connection.execute(
        sa.select(participants).where(participants.c.id == participant)
    ).one_or_none()


def _at_limit(connection: Connection, campaign: Campaign, worker: str) -> bool:
    """Whether a worker has taken part as often as one may, what is still going on included.

    Forms that were only begun do not count: who returns an assignment may accept another.
    """
    taken = sa.select(sa.func.count()).where(
        participants.c.campaign == campaign.name,
        participants.c.worker == worker,
        sa.or_(
            participants.c.outcome.in_(("complete", "incomplete", "abandoned")),
            participants.c.stage.in_(("waiting", "chatting", "choosing")),
        ),
    )
    return bool(connection.execute(taken).scalar_one() >= campaign.rules.conversations_per_worker)


def _open_participation(connection: Connection, campaign: str, arrival: Arrival) -> Row[Any] | None:
    """The participation that this link means: of the assignment it names, else one not done."""
    mine = sa.select(participants).where(
        participants.c.campaign == campaign, participants.c.worker == arrival.worker
    )
    if arrival.assignment is not None:
        mine = mine.where(participants.c.assignment == arrival.assignment)
    else:
        mine = mine.where(participants.c.stage != "done")
    return connection.execute(mine.order_by(participants.c.id.desc()).limit(1)).one_or_none()
