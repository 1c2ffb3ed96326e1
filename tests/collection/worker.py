"""A worker in tests: real HTTP forms, a real Socket.IO client, and patience for what comes."""

from __future__ import annotations

import itertools
import re
import socket
import threading
import time
from contextlib import suppress
from typing import Any

import requests
import socketio

PATIENCE = 30.0  # seconds


class Worker:
    def __init__(
        self,
        url: str,
        name: str,
        *,
        connect: bool = True,
        query: str = "",
        campaign: str = "photochat",
    ) -> None:
        self.url = url
        self.name = name
        self.http = requests.Session()
        self.events: list[dict[str, Any]] = []
        self.states: list[dict[str, Any]] = []  # as a page takes them
        self.told: list[dict[str, Any]] = []  # all of them
        self.typing = 0
        self._ids = itertools.count(1)
        self._news = threading.Condition()
        self.sio: socketio.Client | None = None
        self.token = enter(self.http, url, name, query, campaign)
        if connect:
            self.connect()

    def connect(self, **auth: Any) -> dict[str, Any]:
        """Open a socket (a second one if there is one already) and resume."""
        self.sio = socketio.Client(reconnection=False)
        self.sio.on("event", self._event, namespace="/chat")
        self.sio.on("state", self._state, namespace="/chat")
        self.sio.on("typing", self._typing, namespace="/chat")
        refusals: list[dict[str, Any]] = []

        def refused(why: dict[str, Any]) -> None:
            refusals.append(why)
            self._cut()  # or the client waits three seconds for the server's goodbye

        self.sio.on("connect_error", refused, namespace="/chat")
        try:
            self.sio.connect(
                self.url,
                namespaces=["/chat"],
                auth={"token": self.token, **auth},
                transports=["websocket"],
                wait_timeout=30,  # of a second, by default, which a busy machine may take
            )
        except socketio.exceptions.ConnectionError as error:
            message = refusals[0]["message"] if refusals else str(error)
            raise socketio.exceptions.ConnectionError(message) from error
        return self.resume()

    def resume(self) -> dict[str, Any]:
        last = self.events[-1]["seq"] if self.events else 0
        answer = self.ask("resume", {"last_seq": last})
        if answer["ok"]:
            self._state(answer["state"])
        return answer

    def ask(self, event: str, payload: Any = None) -> dict[str, Any]:
        assert self.sio is not None
        answer: dict[str, Any] = self.sio.call(event, payload, namespace="/chat", timeout=PATIENCE)
        return answer

    def say(self, text: str, **more: Any) -> dict[str, Any]:
        return self.ask("say", {"client_id": f"c{next(self._ids)}", "text": text, **more})

    def share(self) -> dict[str, Any]:
        return self.ask("share", {"client_id": f"c{next(self._ids)}"})

    def finish(self) -> dict[str, Any]:
        return self.ask("finish", {"client_id": f"c{next(self._ids)}"})

    def submit(self, **survey: Any) -> dict[str, Any]:
        return self.ask("submit", {"survey": {"natural": 4, **survey}})

    def until_event(self, kind: str) -> dict[str, Any]:
        """Wait for the first event of a kind."""
        return self._until(lambda: next((e for e in self.events if e["kind"] == kind), None), kind)

    def until_state(self, kind: str) -> dict[str, Any]:
        """Wait until the newest state is of a kind."""
        if kind == "replaced":
            return self._until(
                lambda: next((s for s in self.told if s["kind"] == kind), None), kind
            )
        return self._until(
            lambda: self.states[-1] if self.states and self.states[-1]["kind"] == kind else None,
            kind,
        )

    @property
    def role(self) -> str:
        return str(next(e["role"] for e in self.events if e["kind"] == "paired"))

    def drop(self) -> None:
        """Lose the connection: no goodbye, the socket is just gone."""
        if self.sio is not None and self.sio.connected:
            self._cut()
        self.sio = None

    def close(self) -> None:
        self.drop()
        self.http.close()

    def _cut(self) -> None:
        with suppress(OSError):
            self.sio.eio.ws.sock.shutdown(socket.SHUT_RDWR)

    def _until(self, find: Any, what: str) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE
        with self._news:
            while (found := find()) is None:
                left = end - time.monotonic()
                seen = [e["kind"] for e in self.events], [s["kind"] for s in self.states]
                assert left > 0, f"{self.name} never got {what}; got {seen}"
                self._news.wait(left)
        result: dict[str, Any] = found
        return result

    def _event(self, event: dict[str, Any]) -> None:
        with self._news:
            self.events.append(event)
            self._news.notify_all()

    def _state(self, state: dict[str, Any]) -> None:
        with self._news:
            self.told.append(state)
            if self.states and state["now"] < self.states[-1]["now"]:
                return
            self.states.append(state)
            self._news.notify_all()

    def _typing(self, _: dict[str, Any]) -> None:
        with self._news:
            self.typing += 1
            self._news.notify_all()


def enter(
    http: requests.Session, url: str, name: str, query: str = "", campaign: str = "photochat"
) -> str:
    """Go through the forms; return the chat token."""
    page = http.get(f"{url}/join/{campaign}", params=f"worker={name}{query}")
    for step, fields in (
        ("consent", {"agree": "yes"}),
        ("instructions", {}),
        ("check", {"q1": "1", "q2": "2", "q3": "3"}),
    ):
        if page.url.endswith(f"/{step}"):
            form = {"csrf": field(page.text, "csrf"), **fields}
            page = http.post(f"{url}/{step}", data=form)
    match = re.search(r'name="chat-token" content="([^"]+)"', page.text)
    assert match is not None, page.text
    return match[1]


def field(page: str, name: str) -> str:
    """The value of a form's hidden field."""
    match = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert match is not None, page
    return match[1]
