"""1,000 workers in 500 conversations on one gevent process over SQLite, the load beside it.

First at the pace of people (a message each per 5 s): how long an acknowledgement takes, which is
sent only when the message is on the disk. Then as fast as it goes, against a bare in-memory relay
(benchmarks/bare_relay.py) with the same client in the same run.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp

from benchmarks.report import machine, report
from benchmarks.socket_client import SocketClient
from collection.campaign import Campaign
from collection.simulate.entry import enter
from collection.simulate.run import allow_files
from photochat.cli.typed import free_port
from tests.collection.stage import Server, make_photos

WORKERS = 1000
EVERY_SECONDS = 5.0
LOAD_SECONDS = 45.0
SATURATED_SECONDS = 10.0
ENTERING_AT_ONCE = 20
TEXT = "we went to the lake and there was a dog that stole my sandwich"
CAMPAIGN = """
[limits]
requests_per_second = 1e6
requests_burst = 1000000
connections_per_second = 1e6
connections_burst = 1000000
events_per_second = 1e6
events_burst = 1000000
"""


class Meter:
    """Counts messages, errors and the seconds that each acknowledgement took."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.errors = 0
        self._said = 0

    async def say(self, client: SocketClient) -> None:
        """Send one message, and measure."""
        self._said += 1
        payload = {"client_id": f"m{id(self)}-{self._said}", "text": f"{TEXT} {self._said}"}
        began = time.perf_counter()
        try:
            answer = await asyncio.wait_for(client.ask("say", payload), 30)
        except (ConnectionError, asyncio.TimeoutError, aiohttp.ClientError):
            self.errors += 1
            return
        self.seconds.append(time.perf_counter() - began)
        if not answer["ok"]:
            self.errors += 1


async def at_peoples_pace(clients: list[SocketClient]) -> Meter:
    """Every client says something every 5 s, each from a moment of its own on."""
    meter, draw = Meter(), random.Random(0)

    async def talk(client: SocketClient) -> None:
        await asyncio.sleep(draw.uniform(0, EVERY_SECONDS))
        end = time.monotonic() + LOAD_SECONDS
        while time.monotonic() < end:
            began = time.monotonic()
            await meter.say(client)
            await asyncio.sleep(max(0.0, EVERY_SECONDS - (time.monotonic() - began)))

    await asyncio.gather(*map(talk, clients))
    return meter


class Rate(NamedTuple):
    """How fast it went: messages a second, and what each cost the server's processor."""

    per_second: float
    cpu_ms: float


async def saturated(clients: list[SocketClient], pid: int) -> Rate:
    """Every client says the next as soon as the last is acknowledged."""
    meter = Meter()
    before = cpu_seconds(pid)
    end = time.monotonic() + SATURATED_SECONDS

    async def talk(client: SocketClient) -> None:
        while time.monotonic() < end:
            await meter.say(client)

    await asyncio.gather(*map(talk, clients))
    assert meter.errors == 0
    cpu = cpu_seconds(pid) - before
    return Rate(len(meter.seconds) / SATURATED_SECONDS, 1000 * cpu / len(meter.seconds))


async def in_turns(count: int, work: Callable[[int], Awaitable[Any]]) -> list[Any]:
    """Do `work(0)` to `work(count - 1)`, a few at a time."""
    free = asyncio.Semaphore(ENTERING_AT_ONCE)

    async def one(number: int) -> Any:
        async with free:
            return await work(number)

    return list(await asyncio.gather(*map(one, range(count))))


async def measure_server(server: Server) -> dict[str, Any]:
    """Let the workers in, measure at people's pace and saturated."""
    empty = resident_kb(server.pid)
    async with aiohttp.TCPConnector(limit=0) as connector:

        async def come(number: int) -> SocketClient:
            jar = aiohttp.CookieJar(unsafe=True)
            session = aiohttp.ClientSession(
                connector=connector, connector_owner=False, cookie_jar=jar
            )
            link = f"{server.url}/join/photochat?worker=w{number}"
            token = await enter(session, link, Campaign(), 60)
            client = SocketClient()
            await client.open(session, server.url, token)
            await client.ask("resume", {"last_seq": 0})
            return client

        began = time.monotonic()
        clients = await in_turns(WORKERS, come)
        entering = time.monotonic() - began
        await asyncio.sleep(5)  # until all are paired
        full = resident_kb(server.pid)
        states = [(await client.ask("resume", {"last_seq": 0}))["state"] for client in clients]
        assert {state["kind"] for state in states} == {"talking"}
        heard = sum(client.heard for client in clients)
        waited = core_wait_seconds(server.pid)
        meter = await at_peoples_pace(clients)
        waited = core_wait_seconds(server.pid) - waited
        await asyncio.sleep(1)
        delivered = sum(client.heard for client in clients) - heard
        rate = await saturated(clients, server.pid)
    return {
        "entering_seconds": round(entering, 1),
        "kb_per_idle_worker": (full - empty) / WORKERS,
        "meter": meter,
        "waited_for_a_core_seconds": round(waited, 2),
        "undelivered": 2 * len(meter.seconds) - delivered,
        "rate": rate,
    }


async def measure_relay(url: str, pid: int) -> Rate:
    """The same clients against the bare relay."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def come(number: int) -> SocketClient:
            client = SocketClient()
            await client.open(session, url, f"room-{number // 2}")
            return client

        return await saturated(await in_turns(WORKERS, come), pid)


def run_relay() -> Rate:
    """Start the bare relay, measure it, end it."""
    port = free_port()
    relay = subprocess.Popen([sys.executable, "-m", "benchmarks.bare_relay", str(port)])
    try:
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5)
                break
            except OSError:
                time.sleep(0.1)
        return asyncio.run(measure_relay(f"http://127.0.0.1:{port}", relay.pid))
    finally:
        relay.kill()
        relay.wait()


def resident_kb(pid: int) -> float:
    """Return the resident memory of a process, in kB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def core_wait_seconds(pid: int) -> float:
    """Return how long a process was ready to run and had no core: other programs' doing."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


def percentile(values: list[float], percent: int) -> float:
    """Return a percentile of values in seconds, in milliseconds."""
    return 1000 * statistics.quantiles(values, n=100)[percent - 1]


if __name__ == "__main__":
    allow_files(3 * WORKERS)
    before = run_relay()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pool, images = make_photos(folder, 2 * WORKERS)
        (folder / "campaign.toml").write_text(CAMPAIGN)
        server = Server(
            folder,
            ["--pool", str(pool), "--images", str(images), "--config",
             str(folder / "campaign.toml"), "--db", f"sqlite:///{folder}/chat.db"],
        )  # fmt: skip
        server.start()
        try:
            found = asyncio.run(measure_server(server))
        finally:
            server.kill()
    # The machine may be shared: the relay runs before and after, and its better run counts.
    relay = max(before, run_relay())
    rate: Rate = found["rate"]
    seconds = found["meter"].seconds
    report(
        "chat_load",
        [
            ("p99 of the acknowledgement, ms", percentile(seconds, 99), "<=", 50),
            ("errors", found["meter"].errors, "<=", 0),
            ("messages acknowledged and not delivered to both", found["undelivered"], "<=", 0),
            (
                "saturated, of a bare in-memory relay's rate",
                rate.per_second / relay.per_second,
                ">=",
                0.5,
            ),
            ("memory per idle worker, kB", found["kb_per_idle_worker"], "<=", 200),
        ],
        {
            "workers": WORKERS,
            "messages": len(seconds),
            "p50_ms": round(percentile(seconds, 50), 2),
            "p90_ms": round(percentile(seconds, 90), 2),
            "max_ms": round(1000 * max(seconds), 1),
            "saturated_per_second": round(rate.per_second),
            "relay_per_second": [round(before.per_second), round(relay.per_second)],
            "cpu_ms_per_message": round(rate.cpu_ms, 3),
            "relay_cpu_ms_per_message": round(relay.cpu_ms, 3),
            "entering_seconds": found["entering_seconds"],
            # How busy other programs kept the two cores, which nothing here can help.
            "server_waited_for_a_core_seconds": found["waited_for_a_core_seconds"],
            "load_average": round(os.getloadavg()[0], 1),
            "niceness": os.nice(0),
            "machine": machine("flask-socketio", "gevent", "sqlalchemy"),
        },
    )
