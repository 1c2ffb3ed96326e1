"""50 conversations, ten kills: what is lost, doubled or reordered (tests/collection/drill.py).

Once one process over SQLite; once two processes over PostgreSQL and Redis, killed in turn.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.report import machine, report
from tests.collection.balancer import Balancer
from tests.collection.drill import CAMPAIGN, Drill, drill
from tests.collection.private_services import Postgres, Redis
from tests.collection.stage import Server, make_photos

PAIRS = 50
KILLS = 10
RATE = 0.12  # messages a second and bot, so that the talk lasts longer than the kills
FIRST, BETWEEN = 8.0, (5.0, 9.0)
DOWN_SECONDS = 2.0


def one_process(folder: Path) -> Drill:
    """SQLite; the only server is killed ten times."""
    db = f"sqlite:///{folder}/chat.db"
    server = Server(folder, [*options(folder), "--db", db])
    server.start()

    def kill() -> None:
        server.kill()
        server.start()

    try:
        return drill(
            folder, server.url, db, [kill] * KILLS,
            pairs=PAIRS, rate=RATE, first=FIRST, between=BETWEEN,
        )  # fmt: skip
    finally:
        server.stop()


def two_processes(folder: Path) -> Drill:
    """PostgreSQL and Redis; by chance one server, the other or Redis is killed."""
    redis, postgres = Redis(), Postgres(folder)
    redis.start()
    postgres.start()
    shared = [*options(folder), "--db", postgres.url, "--redis-url", redis.url]
    servers = [Server(folder, shared, name=f"server-{number}") for number in (1, 2)]
    balancer = Balancer([server.port for server in servers])
    draw = random.Random(0)
    victims: list[Any] = [servers[0], redis, servers[1]] * 3 + [redis]
    draw.shuffle(victims)

    def killing(victim: Any) -> Any:
        def kill() -> None:
            victim.kill()
            time.sleep(DOWN_SECONDS)
            victim.start()

        return kill

    try:
        for server in servers:
            server.start()
        balancer.start()
        return drill(
            folder, balancer.url, postgres.url, [killing(victim) for victim in victims],
            pairs=PAIRS, rate=RATE, first=FIRST, between=BETWEEN,
        )  # fmt: skip
    finally:
        balancer.stop()
        for server in servers:
            server.stop()
        redis.kill()
        postgres.stop()


def options(folder: Path) -> list[str]:
    """What both servers are started with."""
    pool, images = make_photos(folder, 4 * PAIRS)
    (folder / "campaign.toml").write_text(CAMPAIGN)
    return [
        "--pool", str(pool), "--images", str(images), "--config", str(folder / "campaign.toml"),
    ]  # fmt: skip


if __name__ == "__main__":
    claims: list[tuple[str, float, str, float]] = []
    about: dict[str, Any] = {}
    setups = {"one process, SQLite": one_process, "two processes, PostgreSQL, Redis": two_processes}
    for name, setup in setups.items():
        if sys.argv[1:] and not name.startswith(sys.argv[1]):
            continue
        with tempfile.TemporaryDirectory() as folder:
            result = setup(Path(folder))
        found = result.comparison
        claims += [
            (f"{name}: lost of what was acknowledged", found.lost, "<=", 0),
            (f"{name}: doubled", found.doubled, "<=", 0),
            (f"{name}: reordered", found.reordered, "<=", 0),
            (f"{name}: changed", found.changed, "<=", 0),
            (f"{name}: conversations finished", result.exported.complete, ">=", PAIRS),
            (f"{name}: kills", result.kills, ">=", KILLS),
        ]
        about[name] = {
            "acknowledged": found.acknowledged,
            "acknowledged_between_kills": result.acknowledged_between,
            "heard": found.heard,
            "outcomes": result.rehearsal.outcomes,
            "seconds": result.rehearsal.seconds,
        }
    report("chat_crashes", claims, {**about, "machine": machine("flask-socketio", "gevent")})
