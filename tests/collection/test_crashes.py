"""Whatever is killed in the middle of conversations: nothing that was acknowledged is lost.

`python -m benchmarks.chat_crashes` does the same with 50 conversations and ten kills.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.collection.balancer import Balancer
from tests.collection.drill import CAMPAIGN, Drill, drill
from tests.collection.stage import Server, make_photos
from tests.private_services import Redis


@pytest.fixture
def options(tmp_path: Path) -> list[str]:
    """What `photochat serve` needs besides a database."""
    pool, images = make_photos(tmp_path, 40)
    campaign = tmp_path / "campaign.toml"
    campaign.write_text(CAMPAIGN)
    return ["--pool", str(pool), "--images", str(images), "--config", str(campaign)]


def assert_all_kept(result: Drill, pairs: int) -> None:
    """Everybody finished, and the comparison is clean over work done between the kills."""
    assert result.comparison.findings == ()
    assert result.rehearsal.outcomes == {"submitted": 2 * pairs}
    assert result.exported.complete == pairs
    assert all(result.acknowledged_between)
    assert result.comparison.acknowledged >= 12 * pairs


def test_a_killed_server_loses_doubles_and_reorders_nothing(
    tmp_path: Path, options: list[str]
) -> None:
    """kill -9 of the only process, twice, in the middle of 6 conversations."""
    db = f"sqlite:///{tmp_path}/chat.db"
    server = Server(tmp_path, [*options, "--db", db])
    server.start()

    def kill() -> None:
        server.kill()
        server.start()

    try:
        result = drill(
            tmp_path, server.url, db, [kill, kill], pairs=6, rate=2.5, first=2, between=(1.5, 2.5)
        )
    finally:
        server.stop()
    assert result.kills == 2
    assert_all_kept(result, 6)


@pytest.mark.slow
def test_two_processes_lose_nothing_when_one_or_redis_is_killed(
    tmp_path: Path, options: list[str], postgres_url: str, redis: Redis
) -> None:
    """kill -9 of one of two processes, then of Redis, over PostgreSQL."""
    shared = [*options, "--db", postgres_url, "--redis-url", redis.url]
    servers = [Server(tmp_path, shared, name=f"server-{number}") for number in (1, 2)]
    balancer = Balancer([server.port for server in servers])
    for server in servers:
        server.start()
    balancer.start()

    def kill_server() -> None:
        servers[0].kill()
        time.sleep(2)
        servers[0].start()

    def kill_redis() -> None:
        redis.kill()
        time.sleep(2)
        redis.start()

    try:
        result = drill(
            tmp_path, balancer.url, postgres_url, [kill_server, kill_redis],
            pairs=6, rate=0.8, first=5, between=(4, 5),
        )  # fmt: skip
    finally:
        balancer.stop()
        for server in servers:
            server.stop()
    assert result.kills == 2
    assert_all_kept(result, 6)
