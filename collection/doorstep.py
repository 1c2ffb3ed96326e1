"""What a connection may cost the server: an address opens only so many, none stays that nobody
joins with, and nothing is kept of what no page sends: attachments, messages without an end.
"""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from typing import Any

from simple_websocket import ConnectionClosed
from socketio.packet import BINARY_ACK, BINARY_EVENT, Packet

from collection.service import Service
from collection.sockets import NAMESPACE
from collection.sweep import every
from photochat.limits import Buckets

JOIN_SECONDS = 10.0  # who has not joined after one or two of these is turned out
_WITH_ATTACHMENTS = (str(BINARY_EVENT), str(BINARY_ACK))


class TextPacket(Packet):  # type: ignore[misc]
    """A Socket.IO packet without attachments."""

    uses_binary_events = False

    def decode(self, encoded_packet: Any) -> int:
        """Decode a packet; the kinds that announce attachments are not let in.

        Raises:
            ValueError: it is not a packet of text.
        """
        if not isinstance(encoded_packet, str) or encoded_packet[:1] in _WITH_ATTACHMENTS:
            raise ValueError("not a packet of text")
        return int(super().decode(encoded_packet))


def bounded(plain: Any) -> Any:
    """Return a class of Engine.IO's web sockets whose messages, silence and closing have an end."""

    class WebSocket(plain):  # type: ignore[misc]
        def __init__(self, handler: Any, server: Any) -> None:
            super().__init__(handler, server)
            # Engine.IO looks at the size only when a message is there as a whole.
            self.server_args["max_message_size"] = server.max_http_buffer_size
            # Within a third of it a client that is there answers a ping.
            self._silence = 3 * (server.ping_interval + server.ping_timeout)

        def wait(self) -> Any:
            try:
                return self.ws.receive(self._silence)
            except ConnectionClosed:
                return None

        def close(self) -> None:
            with suppress(Exception):  # it may be closing already
                super().close()
            with suppress(OSError):  # or it stays open until the client closes it as well
                self.ws.sock.shutdown(socket.SHUT_RD)

    return WebSocket


def guard(server: Any, service: Service) -> None:
    """Stand at the door of a Socket.IO server."""
    limits = service.campaign.limits
    addresses = Buckets(limits.connections_per_second, limits.connections_burst)
    engine = server.eio
    engine._async = {**engine._async, "websocket": bounded(engine._async["websocket"])}
    accept, take = engine.handlers["connect"], engine.handlers["message"]
    waiting: set[str] = set()

    def arrive(sid: str, environ: dict[str, Any]) -> Any:
        if not addresses.take(str(environ.get("REMOTE_ADDR")), time.monotonic()):
            service.metrics.limited.inc()
            return "rate-limited"
        return accept(sid, environ)

    def receive(sid: str, data: Any) -> None:
        try:
            take(sid, data)
        except Exception:  # it is no packet: what our own events do wrong is caught by them
            close(sid)

    def turn_out() -> None:
        nonlocal waiting
        outside = {
            sid
            for sid in list(server.environ)
            if server.manager.sid_from_eio_sid(sid, NAMESPACE) is None
        }
        for sid in waiting & outside:
            close(sid)
        waiting = outside - waiting

    def close(sid: str) -> None:
        connection = engine.sockets.get(sid)
        if connection is not None:
            connection.close(wait=False)  # nobody may be there to fetch what it was sent

    engine.on("connect", arrive)
    engine.on("message", receive)
    service.runtime.spawn(lambda: every(service, JOIN_SECONDS, turn_out))
