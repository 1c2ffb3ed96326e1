"""Who is really here: what the database notes about connections is held to the sockets there are.

A connection is noted when it opens and when it closes. Either can be missed, by a database that is
down or a process that stands still. So every sweep compares, and puts right what it finds wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from collection.conversation import Away, Back
from collection.events import TALKING
from collection.presence import Socket
from collection.service import Service
from collection.tables import conversations, events, participants, processes

ALIVE_SECONDS = 10.0  # a process silent for longer is dead, and its connections with it


def give_sign_of_life(service: Service, now: float) -> None:
    """Note that this process is alive. After a silence it begins anew, as after a start.

    Whoever was out of touch for long cannot know what the others did meanwhile.
    """
    service.writer.call(lambda c: _alive(c, service.process, now))
    if now - service.alive_at > ALIVE_SECONDS:
        service.started_at = now
    service.alive_at = now


def call_the_roll(service: Service, now: float) -> None:
    """Note as gone whose socket is nowhere, as here whose socket is here, and tell the partners."""
    sockets = {(one.participant, one.number): one for one in service.presence.all()}
    differ = _tally(service) != _sums(sockets)
    unnoted, lost = sockets if differ else {}, []
    for row in _noted(service, now, here=differ):
        held = row.process == service.process and unnoted.pop((row.id, row.connection), None)
        if not held and row.last_seen < now - ALIVE_SECONDS:
            lost.append(row)
    if lost:
        service.writer.call(lambda c: _forget(c, lost, now))
    if unnoted:
        held_here = list(unnoted.values())
        for replaced in service.writer.call(lambda c: _hold(c, service, held_here, now)):
            service.replace(replaced)
    for participant, conversation in _silently_gone(service):
        service.act(conversation, participant, Away())
    for socket in service.presence.all():
        known = service.journal.known(socket.conversation) if socket.conversation else None
        if known is None or not known.state.away_until or known.state.phase not in TALKING:
            continue
        if known.role_of(socket.participant) in known.state.away_until:
            service.act(socket.conversation, socket.participant, Back())


def _alive(connection: Connection, process: str, now: float) -> None:
    alive = connection.execute(
        sa.update(processes).where(processes.c.id == process).values(alive_at=now)
    )
    if not alive.rowcount:
        connection.execute(sa.insert(processes).values(id=process, alive_at=now))
    connection.execute(sa.delete(processes).where(processes.c.alive_at < now - 100 * ALIVE_SECONDS))


def _tally(service: Service) -> tuple[int, ...]:
    """Sum up who is noted as connected here: a thousand rows are read in the database alone."""
    noted, number = participants.c.id, participants.c.connection
    sums = (sa.func.count(), sa.func.sum(noted), sa.func.sum(number), sa.func.sum(noted * number))
    with service.database.read() as reader:
        row = reader.execute(
            sa.select(*sums).where(
                participants.c.campaign == service.campaign.name,
                participants.c.process == service.process,
            )
        ).one()
    return tuple(int(value or 0) for value in row)


def _sums(connections: Iterable[tuple[int, int]]) -> tuple[int, ...]:
    """Return of the sockets there are what `_tally` returns of those that are noted."""
    pairs = list(connections)
    return (
        len(pairs),
        sum(noted for noted, _ in pairs),
        sum(number for _, number in pairs),
        sum(noted * number for noted, number in pairs),
    )


def _noted(service: Service, now: float, *, here: bool) -> Sequence[Row[Any]]:
    """Who is noted as connected `here` or, once this process may judge that, to a dead one."""
    places = [participants.c.process == service.process] if here else []
    if now - service.started_at >= ALIVE_SECONDS:
        living = sa.select(processes.c.id).where(processes.c.alive_at >= now - ALIVE_SECONDS)
        places.append(participants.c.process.not_in(living))
    columns = (participants.c[name] for name in ("id", "connection", "process", "last_seen"))
    with service.database.read() as reader:
        return reader.execute(
            sa.select(*columns).where(
                participants.c.campaign == service.campaign.name, sa.or_(sa.false(), *places)
            )
        ).all()


def _forget(connection: Connection, lost: Sequence[Row[Any]], now: float) -> None:
    for row in lost:
        connection.execute(
            sa.update(participants)
            .where(
                participants.c.id == row.id,
                participants.c.connection == row.connection,
                participants.c.process == row.process,
            )
            .values(process=None, last_seen=now)
        )


def _hold(
    connection: Connection, service: Service, sockets: Sequence[Socket], now: float
) -> list[Socket]:
    """Note sockets as here; return those that a newer connection elsewhere has replaced."""
    replaced = []
    for socket in sockets:
        if service.presence.of_participant(socket.participant) is not socket:
            continue  # closed since the roll was called
        held = connection.execute(
            sa.update(participants)
            .where(
                participants.c.id == socket.participant,
                participants.c.connection == socket.number,
            )
            .values(process=service.process, last_seen=now)
        )
        if not held.rowcount:
            replaced.append(socket)
    return replaced


def _silently_gone(service: Service) -> list[tuple[int, int]]:
    """Who talks without a connection, and whose log does not say so."""
    role = sa.case((conversations.c.sharer == participants.c.id, "sharer"), else_="receiver")
    last = (
        sa.select(events.c.kind)
        .where(
            events.c.conversation == conversations.c.id,
            events.c.by == role,
            events.c.kind.in_(("away", "back")),
        )
        .order_by(events.c.seq.desc())
        .limit(1)
    )
    gone = (
        sa.select(participants.c.id, participants.c.conversation)
        .join(conversations, conversations.c.id == participants.c.conversation)
        .where(
            participants.c.campaign == service.campaign.name,
            participants.c.stage == "chatting",
            participants.c.process.is_(None),
            conversations.c.phase.in_(TALKING),
            sa.func.coalesce(last.scalar_subquery(), "back") != "away",
        )
    )
    with service.database.read() as reader:
        return [(row.id, row.conversation) for row in reader.execute(gone)]
