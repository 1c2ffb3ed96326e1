"""The Socket.IO namespace `/chat`, as docs/protocol.md describes it.

A handler of python-socketio, not of Flask: a message needs no Flask request around it. One
client's events are handled in their order (`async_handlers=False` in collection/server.py).
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import socketio

from collection.conversation import Choose, Refusal, Repeat
from collection.events import Event
from collection.presence import Socket
from collection.service import Service
from collection.wire import Resume, read_command, read_resume
from collection.writer import Unavailable
from photochat.limits import Buckets

NAMESPACE = "/chat"
COMMANDS = ("say", "share", "finish", "submit", "choose")
TOO_OFTEN = Refusal("rate-limited", "That was very fast. Please wait a moment and try again.")
UNKNOWN = Refusal("unknown-event", "The server does not know this event.")
UNAVAILABLE = Refusal("unavailable", "It could not be saved. Please try again in a moment.")
NOT_CONNECTED = Refusal("replaced", "This chat is open in a newer tab.")


class ChatNamespace(socketio.Namespace):  # type: ignore[misc]
    """Checks what comes in, hands it to the service, answers."""

    def __init__(self, service: Service) -> None:
        super().__init__(NAMESPACE)
        self._service = service
        limits = service.campaign.limits
        self._addresses = Buckets(limits.connections_per_second, limits.connections_burst)

    def trigger_event(self, event: str, *args: Any) -> Any:
        """Answer an event; one that does not exist gets an error, not silence."""
        # A client can send events of these names; only while it is not connected are they real.
        if event in ("connect", "disconnect") and not self._is_connected(args[0]):
            return self._connect(*args) if event == "connect" else self._disconnect(args[0])
        sid, *payload = args
        began = time.perf_counter()
        answer = self._answer(event, sid, payload[0] if payload else {}, extra=len(payload) > 1)
        metrics = self._service.metrics
        metrics.answered.observe(time.perf_counter() - began)
        name = event if event in (*COMMANDS, "resume", "typing") else "unknown"
        metrics.commands.labels(name, answer.get("error", "ok")).inc()
        return answer

    def _is_connected(self, sid: str) -> bool:
        return bool(self.server.manager.is_connected(sid, NAMESPACE))

    def _connect(self, sid: str, environ: dict[str, Any], auth: object = None) -> None:
        service = self._service
        if service.stopping:
            raise socketio.exceptions.ConnectionRefusedError("stopping")
        if not self._addresses.take(str(environ.get("REMOTE_ADDR")), time.monotonic()):
            service.metrics.limited.inc()
            raise socketio.exceptions.ConnectionRefusedError("rate-limited")
        token = auth.get("token") if isinstance(auth, dict) else None
        ticket = service.tokens.read_chat(token)
        if ticket is None:
            raise socketio.exceptions.ConnectionRefusedError("bad-token")
        try:
            taken = service.connect(sid, ticket)
        except Unavailable:
            raise socketio.exceptions.ConnectionRefusedError("unavailable") from None
        if not taken:
            raise socketio.exceptions.ConnectionRefusedError("session-over")

    def _disconnect(self, sid: str) -> None:
        with suppress(Unavailable):  # then the roll call finds out that nobody is there
            self._service.disconnect(sid)

    def _answer(self, event: str, sid: str, payload: object, *, extra: bool) -> dict[str, Any]:
        socket = self._service.presence.of_sid(sid)
        if socket is None:
            return _told(NOT_CONNECTED)
        if not socket.bucket.take(time.time()):
            self._service.metrics.limited.inc()
            return _told(TOO_OFTEN)
        if extra:
            payload = None  # more than one argument: no event of ours
        try:
            return self._handled(event, socket, payload)
        except Unavailable:
            return _told(UNAVAILABLE)
        except Exception:
            self._service.failed()
            return _told(UNAVAILABLE)

    def _handled(self, event: str, socket: Socket, payload: object) -> dict[str, Any]:
        service = self._service
        if event == "resume":
            asked = read_resume(payload)
            if isinstance(asked, Resume):
                return service.resume(socket, asked.last_seq, asked.conversation)
            return _told(asked)
        if event == "typing":
            service.typing(socket)
            return {"ok": True}
        if event not in COMMANDS:
            return _told(UNKNOWN)
        command = read_command(event, payload, service.campaign.survey)
        if isinstance(command, Refusal):
            return _told(command)
        if isinstance(command, Choose):
            return _told(service.choose(socket, command))
        return _told(service.act(socket.conversation, socket.participant, command))


def _told(result: list[Event] | Refusal | Repeat) -> dict[str, Any]:
    """Return a result as the acknowledgement that the client gets."""
    if isinstance(result, Refusal):
        return {"ok": False, "error": result.error, "message": result.message}
    if isinstance(result, Repeat):
        return {"ok": True, "seq": result.seq, "repeated": True}
    return {"ok": True, "seq": result[0].seq} if result else {"ok": True}
