"""A server that runs out of something refuses what is new, and goes on with what it has."""

from __future__ import annotations

import resource
import socket
import time
from pathlib import Path

import pytest
import requests

from tests.collection.stage import Server, make_photos
from tests.collection.worker import Worker

FILES = 20  # more than are open once two workers talk


def test_connections_beyond_the_files_a_process_may_open(tmp_path):
    """Those who are in go on talking; when the flood is over others come in again."""
    pool, images = make_photos(tmp_path, 8)
    server = Server(
        tmp_path,
        ["--pool", str(pool), "--images", str(images), "--db", f"sqlite:///{tmp_path}/chat.db"],
    )
    server.start()
    flood = []
    try:
        two = [Worker(server.url, name) for name in ("anna", "ben")]
        for worker in two:
            worker.until_event("paired")
        opened = len(list(Path(f"/proc/{server.pid}/fd").iterdir()))
        limit = opened + FILES
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (limit, limit))
        flood = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(3 * FILES)]
        time.sleep(0.5)
        for worker in two:
            assert worker.say(f"{worker.name} is still here")["ok"]
        with pytest.raises(requests.RequestException):
            requests.get(f"{server.url}/healthz", timeout=1)
        for connection in flood:
            connection.close()
        assert requests.get(f"{server.url}/healthz", timeout=10).ok
        assert two[0].say("and now")["ok"]
        for worker in two:
            worker.close()
    finally:
        for connection in flood:
            connection.close()
        server.stop()
