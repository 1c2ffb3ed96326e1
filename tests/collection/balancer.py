"""A proxy of connections before several servers, as nginx is in production: each connection goes
to the next server that is up."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Sequence

from photochat.cli.typed import free_port


class Balancer:
    """Listens on a port of its own, in a thread of its own."""

    def __init__(self, ports: Sequence[int]) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._ports = list(ports)
        self._next = 0
        self._loop = asyncio.new_event_loop()
        self._stopped = asyncio.Event()
        self._thread = threading.Thread(
            target=lambda: self._loop.run_until_complete(self._serve()), daemon=True
        )

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Close every connection."""
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._forward, "127.0.0.1", self.port, backlog=1000)
        await self._stopped.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in self._ports:
            self._next = (self._next + 1) % len(self._ports)
            try:
                upstream = await asyncio.open_connection("127.0.0.1", self._ports[self._next])
                break
            except OSError:
                continue
        else:
            writer.close()
            return
        await asyncio.gather(_pump(reader, upstream[1]), _pump(upstream[0], writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()
