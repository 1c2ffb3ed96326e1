"""A real server, two workers in a conversation, and an attacker with a session of his own."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import suppress

import pytest
import requests
from socketio.exceptions import SocketIOError

from tests.collection.attacks.scene import RawSocket
from tests.collection.stage import Server, make_photos
from tests.collection.worker import Worker, enter

CAMPAIGN = """
[limits]
requests_burst = 100000
connections_burst = 100000
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`photochat serve`, for all attacks of this file: each must leave it serving the others."""
    folder = tmp_path_factory.mktemp("attacks")
    pool, images = make_photos(folder, 800)
    (folder / "campaign.toml").write_text(CAMPAIGN)
    server = Server(
        folder,
        ["--pool", str(pool), "--images", str(images), "--db", f"sqlite:///{folder}/chat.db",
         "--config", str(folder / "campaign.toml")],
    )  # fmt: skip
    server.start()
    yield server
    server.stop()


@pytest.fixture
def two(server: Server) -> Iterator[tuple[Worker, Worker]]:
    """Two strangers in a conversation: the sharer, the receiver."""
    name = secrets.token_hex(4)
    workers = [Worker(server.url, f"{name}-{number}") for number in (1, 2)]
    for worker in workers:
        worker.until_event("paired")
    sharer, receiver = sorted(workers, key=lambda worker: worker.role != "sharer")
    yield sharer, receiver
    for worker in workers:
        if worker.sio is not None and worker.sio.connected:
            with suppress(SocketIOError):  # another tab of the test's may have taken its place
                worker.sio.call("choose", {"choice": "leave"}, namespace="/chat", timeout=5)
            worker.drop()


@pytest.fixture
def attacker(server: Server) -> Iterator[str]:
    """The chat token of a worker in the waiting room, who is out of it again afterwards."""
    token = enter(requests.Session(), server.url, secrets.token_hex(4))
    yield token
    raw = RawSocket(server, token)
    raw.send(1, "choose", {"choice": "leave"})
    raw.answers(1)
    raw.close()
