"""The sockets that this process holds: who is there, and what each has been sent.

Keyed by participant, that is by worker and assignment, never by socket: of several tabs the newest
wins. Events reach a socket through `deliver` alone, in the order of the log and without a gap.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

from collection.events import Phase
from collection.journal import Log
from collection.view import event_view
from photochat.limits import Bucket

Emit = Callable[[str, dict[str, Any], str], None]


class Socket:
    """One participant's live connection."""

    __slots__ = (
        "bucket",
        "conversation",
        "delivered",
        "generation",
        "lock",
        "number",
        "participant",
        "sid",
        "told",
    )

    def __init__(
        self, sid: str, participant: int, generation: int, number: int, bucket: Bucket
    ) -> None:
        self.sid = sid
        self.participant = participant
        self.generation = generation
        self.number = number  # of this participant's connections; the highest is the newest
        self.conversation: int | None = None
        self.delivered: int | None = None  # seq of the last event sent; None before `resume`
        self.told: tuple[int, Phase] | None = None  # the conversation's phase in the last state
        self.bucket = bucket
        self.lock = threading.Lock()

    def behind(self, known: Log) -> bool:
        """Say whether the log has events that this socket has not been sent."""
        return self.delivered is not None and self.delivered < known.state.seq


class Presence:
    """The sockets of this process, by participant, by socket id and by conversation."""

    def __init__(self) -> None:
        self._by_participant: dict[int, Socket] = {}
        self._by_sid: dict[str, Socket] = {}

    def add(self, socket: Socket) -> Socket | None:
        """Add a socket; return the older one that it replaces. An older newcomer is not added."""
        known = self._by_participant.get(socket.participant)
        if known is not None and known.number > socket.number:
            return socket
        self._by_participant[socket.participant] = socket
        self._by_sid[socket.sid] = socket
        return known

    def remove(self, sid: str) -> Socket | None:
        """Forget a socket; return it."""
        socket = self._by_sid.pop(sid, None)
        if socket is not None and self._by_participant.get(socket.participant) is socket:
            del self._by_participant[socket.participant]
        return socket

    def of_sid(self, sid: str) -> Socket | None:
        """Return the socket of a Socket.IO session."""
        return self._by_sid.get(sid)

    def of_participant(self, participant: int) -> Socket | None:
        """Return a participant's socket in this process."""
        return self._by_participant.get(participant)

    def older(self, participant: int, number: int) -> Socket | None:
        """Return a participant's socket if a connection of that number takes its place."""
        socket = self._by_participant.get(participant)
        return socket if socket is not None and socket.number < number else None

    def all(self) -> list[Socket]:
        """Return every socket."""
        return list(self._by_participant.values())

    def of_log(self, log: Log) -> Iterable[Socket]:
        """Return the sockets of a conversation's two participants, those that are here."""
        for role in ("sharer", "receiver"):
            socket = self._by_participant.get(log.state.facts[role])
            if socket is not None:
                yield socket

    def __len__(self) -> int:
        return len(self._by_participant)


def deliver(
    socket: Socket, conversation: int, log: Log, photo_url: Callable[[int, int], str], emit: Emit
) -> None:
    """Send a socket the events of its conversation that it has not been sent, in order.

    Nothing is sent before the client has said where it stands (`resume`).
    """
    role = log.role_of(socket.participant)
    if role is None:
        return
    with socket.lock:
        if socket.conversation != conversation or socket.delivered is None:
            return
        for event in log.events[socket.delivered :]:
            view = event_view(
                event, role, log.state, lambda: photo_url(socket.participant, conversation)
            )
            emit("event", view, socket.sid)
            socket.delivered = event.seq
