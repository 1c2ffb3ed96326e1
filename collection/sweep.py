"""What time does: deadlines that stand in the database are carried out when they come.

Every process sweeps; none needs to know what another has done. A deadline is decided upon under
the conversation's lock, against the log, so two that find it due carry it out once.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from collection.conversation import Tick
from collection.entrance import expected_wait
from collection.roll_call import call_the_roll, give_sign_of_life
from collection.service import Service
from collection.settlement import finish
from collection.tables import campaigns, conversations, participants
from collection.writer import Unavailable

SWEEP_SECONDS = 1.0
STATE_SECONDS = 5.0  # how often those who wait are told their place
CATCH_UP_SECONDS = 2.0  # how long news may take when Redis is down
CHECKPOINT_SECONDS = 15.0
READ_AT_ONCE = 200
SETTLE_SECONDS = 15.0  # after a start or an outage: time to reconnect before anybody is late


def run(service: Service) -> None:
    """Start the loops of a service."""
    spawn = service.runtime.spawn
    spawn(lambda: every(service, SWEEP_SECONDS, lambda: sweep(service)))
    spawn(lambda: every(service, STATE_SECONDS, lambda: tell_waiting(service)))
    spawn(lambda: every(service, CATCH_UP_SECONDS, lambda: catch_up(service)))
    spawn(lambda: every(service, CHECKPOINT_SECONDS, lambda: checkpoint(service)))
    spawn(lambda: _pairing(service))


def sweep(service: Service, now: float | None = None) -> None:
    """Carry out everything that is due."""
    now = time.time() if now is None else now
    give_sign_of_life(service, now)
    call_the_roll(service, now)
    if now - service.started_at >= SETTLE_SECONDS:
        for conversation in _due_conversations(service, now):
            service.act(conversation, None, Tick())
        for participant in service.writer.call(lambda c: _due_participants(service, c, now)):
            service.send_state(participant)
    service.wake_pairing.set()


def tell_waiting(service: Service) -> None:
    """Tell everybody in the waiting room, whose socket is here, their place."""
    with service.database.read() as reader:
        service.expected_wait = expected_wait(reader, service.campaign.name)
        waiting = reader.execute(
            sa.select(participants.c.id).where(
                participants.c.campaign == service.campaign.name,
                participants.c.stage == "waiting",
                participants.c.process == service.process,
            )
        ).scalars()
        here = list(waiting)
    for participant in here:
        service.send_state(participant)
        service.runtime.sleep(0)  # others go on between


def catch_up(service: Service) -> None:
    """Bring to the sockets here whatever the log has and they have not.

    With other processes this is what makes news arrive while Redis is down; alone in the world, a
    process knows its own news, and only what a failure kept from being sent is sent again.
    """
    sockets = service.presence.all()
    if not service.bell.has_others:
        for socket in sockets:
            known = service.journal.known(socket.conversation) if socket.conversation else None
            if known is not None and socket.conversation and socket.behind(known):
                service.deliver_to(socket, socket.conversation, known)
        return
    for start in range(0, len(sockets), READ_AT_ONCE):
        part = sockets[start : start + READ_AT_ONCE]
        with service.database.read() as reader:
            newest = _newest(reader, [socket.participant for socket in part])
        for socket in part:
            conversation, seq = newest.get(socket.participant, (None, 0))
            behind = socket.delivered is not None and socket.delivered < seq
            if conversation is not None and (behind or socket.conversation != conversation):
                service.catch_up(conversation)
        service.runtime.sleep(0)


def checkpoint(service: Service) -> None:
    """Keep SQLite's write-ahead file small, in a thread of its own."""
    service.runtime.offload(service.database.checkpoint)


def every(service: Service, seconds: float, do: Callable[[], None]) -> None:
    """Do something again and again, whatever fails, until the service stops."""
    while not service.stopping:
        try:
            do()
        except Unavailable:
            pass
        except Exception:
            service.failed()
        service.runtime.sleep(seconds)


def _pairing(service: Service) -> None:
    while not service.stopping:
        service.wake_pairing.wait()
        service.wake_pairing.clear()
        try:
            while service.pair():
                pass
        except Unavailable:
            pass
        except Exception:
            service.failed()


def _due_conversations(service: Service, now: float) -> list[int]:
    with service.database.read() as reader:
        return list(
            reader.execute(
                sa.select(conversations.c.id)
                .where(
                    conversations.c.campaign == service.campaign.name,
                    conversations.c.deadline <= now,
                )
                .order_by(conversations.c.deadline)
                .limit(500)
            ).scalars()
        )


def _due_participants(service: Service, connection: Connection, now: float) -> list[int]:
    """End the waits that are over, of those here and of those who are nowhere; return whose.

    Whoever is at another process is told by that one alone: it ends their wait.
    """
    campaign = service.campaign
    place = participants.c.process
    mine = sa.and_(
        participants.c.campaign == campaign.name, place.is_(None) | (place == service.process)
    )
    rows = connection.execute(
        sa.select(participants.c.id, participants.c.stage, participants.c.process).where(
            mine, participants.c.stage.in_(("waiting", "choosing")), participants.c.deadline <= now
        )
    ).all()
    over = []
    for row in rows:
        reason = "partner-gone"
        if row.stage == "waiting":
            reason = "no-partner" if row.process is not None else "left-waiting-room"
        if finish(connection, row.id, reason, now):
            over.append(row.id)
    away = connection.execute(
        sa.select(participants.c.id).where(
            mine,
            participants.c.stage == "waiting",
            participants.c.process.is_(None),
            participants.c.last_seen <= now - campaign.timeouts.left_waiting,
        )
    ).scalars()
    over += [one for one in away.all() if finish(connection, one, "left-waiting-room", now)]
    status = connection.execute(
        sa.select(campaigns.c.status).where(campaigns.c.name == campaign.name)
    ).scalar_one()
    if status == "draining":
        rest = connection.execute(
            sa.select(participants.c.id).where(
                mine, participants.c.stage.in_(("waiting", "choosing"))
            )
        ).scalars()
        over += [one for one in rest.all() if finish(connection, one, "drained", now)]
    return over


def _newest(reader: Connection, ids: list[int]) -> dict[int, tuple[int, int]]:
    rows = reader.execute(
        sa.select(participants.c.id, participants.c.conversation, conversations.c.seq)
        .join(conversations, conversations.c.id == participants.c.conversation)
        .where(participants.c.id.in_(ids))
    )
    return {row.id: (row.conversation, row.seq) for row in rows}
