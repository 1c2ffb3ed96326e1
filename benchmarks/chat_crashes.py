"""50 conversations, ten kills: what is lost, doubled or reordered (tests/collection/drill.py).

Once one process over SQLite; beside it two processes over PostgreSQL and Redis, killed in turn.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.report import machine, report
from tests.collection.balancer import Balancer
from tests.collection.drill import CAMPAIGN, Drill, drill
from tests.collection.stage import Server, make_photos
from tests.private_services import Postgres, Redis

PAIRS = 50
KILLS = 10
RATE = 0.25  # messages a second and bot, so that the talk lasts longer than the kills
FIRST, BETWEEN = 6.0, (2.0, 4.5)
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
    redis, postgres = Redis(), Postgres()
    redis.start()
    postgres.start()
    db = postgres.new_database()
    shared = [*options(folder), "--db", db, "--redis-url", redis.url]
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
            folder, balancer.url, db, [killing(victim) for victim in victims],
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


SETUPS = {
    "one process, SQLite": one_process,
    "two processes, PostgreSQL, Redis": two_processes,
}


def carried_out(name: str) -> Drill:
    """Run the drill of a set-up in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return SETUPS[name](Path(folder))


if __name__ == "__main__":
    claims: list[tuple[str, float, str, float]] = []
    about: dict[str, Any] = {}
    names = [name for name in SETUPS if not sys.argv[1:] or name.startswith(sys.argv[1])]
    with ThreadPoolExecutor() as threads:  # nothing is timed, so they run side by side
        results = list(threads.map(carried_out, names))
    for name, result in zip(names, results, strict=True):
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
