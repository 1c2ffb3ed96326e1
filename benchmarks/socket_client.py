"""A Socket.IO client of few parts, for load: one web socket, acknowledgements, and no more.

Much lighter than python-socketio's, so that what is measured on shared cores is the server.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

import aiohttp

NAMESPACE = "/chat"


class SocketClient:
    """One connection; `heard` counts the events that came."""

    def __init__(self) -> None:
        self.heard = 0
        self.state: dict[str, Any] = {}
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._next = 0
        self._connected = asyncio.get_running_loop().create_future()

    async def open(self, session: aiohttp.ClientSession, url: str, token: str) -> None:
        """Connect to the namespace with a token."""
        self._ws = await session.ws_connect(
            f"{url}/socket.io/?EIO=4&transport=websocket", compress=0
        )
        self._reader = asyncio.ensure_future(self._read())
        await self._ws.send_str(f"40{NAMESPACE}," + json.dumps({"token": token}))
        await self._connected

    async def ask(self, name: str, payload: dict[str, Any]) -> Any:
        """Send an event; return its acknowledgement."""
        self._next += 1
        number = self._next
        answered = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._ws.send_str(f"42{NAMESPACE},{number}" + json.dumps([name, payload]))
        return await answered

    async def close(self) -> None:
        """Close the connection."""
        self._reader.cancel()
        await self._ws.close()

    async def _read(self) -> None:
        with contextlib.suppress(ConnectionError):  # a ping while the server goes away
            await self._take()
        for answered in self._waiting.values():
            if not answered.done():
                answered.set_exception(ConnectionError("closed"))

    async def _take(self) -> None:
        acked, event = f"43{NAMESPACE},", f'42{NAMESPACE},["event"'
        state = f'42{NAMESPACE},["state",'
        async for message in self._ws:
            text: str = message.data
            if text.startswith(event):
                self.heard += 1
            elif text.startswith(acked):
                number, _, rest = text[len(acked) :].partition("[")
                self._waiting.pop(int(number)).set_result(json.loads(rest[:-1]))
            elif text == "2":
                await self._ws.send_str("3")
            elif text.startswith(state):
                self.state = json.loads(text[len(state) : -1])
            elif text.startswith(f"40{NAMESPACE}"):
                self._connected.set_result(None)
            elif text.startswith(f"44{NAMESPACE}"):
                self._connected.set_exception(ConnectionError(text))
