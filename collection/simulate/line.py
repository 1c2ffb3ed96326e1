"""A bot's Socket.IO connection: one tab, and the events of the conversation in their order."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Any

import aiohttp
import socketio

NAMESPACE = "/chat"
ANSWER_SECONDS = 15.0  # for an acknowledgement; then the same is sent again
CONNECT_SECONDS = 15.0
CLOSE_SECONDS = 5.0


class Lost(Exception):
    """The connection is gone, or the answer did not come."""


class Refused(Exception):
    """The server refused the connection; the argument is its code."""


class Line:
    """One tab. It does not reconnect by itself: the bot opens another one.

    `on_event` and `on_state` are called in the order in which the server sent.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        on_event: Callable[[Line, dict[str, Any]], None],
        on_state: Callable[[Line, dict[str, Any]], None],
    ) -> None:
        self.down = asyncio.Event()
        # The client may close its HTTP session, so a line has its own, of the bot's connections
        # and cookies.
        self._http = aiohttp.ClientSession(
            connector=session.connector, connector_owner=False, cookie_jar=session.cookie_jar
        )
        self._client = socketio.AsyncClient(
            reconnection=False, http_session=self._http, handle_sigint=False
        )
        self._refused: str | None = None
        client = self._client
        client.on("event", lambda data: on_event(self, data), namespace=NAMESPACE)
        client.on("state", lambda data: on_state(self, data), namespace=NAMESPACE)
        client.on("connect_error", self._on_refused, namespace=NAMESPACE)
        client.on("disconnect", lambda *_: self.down.set(), namespace=NAMESPACE)

    async def open(self, url: str, token: str) -> None:
        """Connect.

        Raises:
            Refused: by the server.
            Lost: it cannot be reached.
        """
        try:
            await self._client.connect(
                url,
                auth={"token": token},
                namespaces=[NAMESPACE],
                transports=["websocket"],
                wait_timeout=CONNECT_SECONDS,
            )
        except (socketio.exceptions.ConnectionError, aiohttp.ClientError, OSError) as error:
            self.down.set()
            if self._refused is not None:
                raise Refused(self._refused) from error
            raise Lost from error

    async def ask(
        self,
        name: str,
        payload: dict[str, Any],
        then: Callable[[dict[str, Any]], None] = lambda _: None,
    ) -> dict[str, Any]:
        """Send an event; return its acknowledgement.

        `then` gets it before anything that the server sent after it is looked at.

        Raises:
            Lost: no answer; whether it arrived is not known.
        """
        if self.down.is_set():
            raise Lost
        answered: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

        def answer(data: dict[str, Any]) -> None:
            if not answered.done():
                answered.set_result(data)
                then(data)

        down: asyncio.Future[Any] = asyncio.ensure_future(self.down.wait())
        try:
            await self._client.emit(name, payload, namespace=NAMESPACE, callback=answer)
            either: list[asyncio.Future[Any]] = [answered, down]
            await asyncio.wait(either, timeout=ANSWER_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        except (socketio.exceptions.SocketIOError, aiohttp.ClientError, OSError) as error:
            raise Lost from error
        finally:
            down.cancel()
        if not answered.done():
            raise Lost
        return answered.result()

    async def close(self) -> None:
        """Close the tab, as a browser does; also one whose connection is lost already."""
        self.down.set()
        with contextlib.suppress(
            socketio.exceptions.SocketIOError, aiohttp.ClientError, OSError, asyncio.TimeoutError
        ):
            await asyncio.wait_for(self._client.disconnect(), CLOSE_SECONDS)
        await self._http.close()

    async def cut(self) -> None:
        """Lose the network: the connection ends without a word of the protocol."""
        self.down.set()
        websocket = self._client.eio.ws
        transport = None if websocket is None else websocket.get_extra_info("socket")
        if transport is not None:
            with contextlib.suppress(OSError):
                transport.shutdown(socket.SHUT_RDWR)

    def _on_refused(self, data: object) -> None:
        self._refused = str(data.get("message", data)) if isinstance(data, dict) else str(data)
