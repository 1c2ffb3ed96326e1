"""A Redis and a PostgreSQL of one's own, on free ports and in temporary folders."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import time
from pathlib import Path

from tests.collection.stage import free_port

POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def has_postgres() -> bool:
    """Whether a PostgreSQL server is installed and may be started by whoever runs the tests."""
    return bool(POSTGRES) and (os.getuid() != 0 or shutil.which("runuser") is not None)


def has_redis() -> bool:
    """Whether redis-server is installed."""
    return shutil.which("redis-server") is not None


class Redis:
    """redis-server, without persistence."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--save", "", "--appendonly", "no",
             "--bind", "127.0.0.1"],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        import redis

        client = redis.Redis.from_url(self.url)
        end = time.monotonic() + 10
        while time.monotonic() < end:
            try:
                client.ping()
                return
            except redis.ConnectionError:
                time.sleep(0.05)
        raise AssertionError("redis-server does not answer")

    def kill(self) -> None:
        """`kill -9`."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


class Postgres:
    """A cluster in `folder`, with one database; owned by the user postgres if we are root."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder / "pgdata"
        self._folder.mkdir()
        self._as: list[str] = []
        user = pwd.getpwuid(os.getuid()).pw_name
        if os.getuid() == 0:
            self._as = ["runuser", "-u", "postgres", "--"]
            user = "postgres"
            shutil.chown(self._folder, "postgres", "postgres")
            for parent in (folder, *folder.parents[:-2]):  # its folder must be reachable for it
                parent.chmod(parent.stat().st_mode | 0o011)
        self.url = f"postgresql://{user}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Make the cluster and start it."""
        binaries = POSTGRES[-1]
        self._run(str(binaries / "initdb"), "-D", str(self._folder), "-A", "trust")
        settings = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
        log = str(self._folder / "log")
        self._run(
            str(binaries / "pg_ctl"), "-D", str(self._folder), "-w", "-l", log,
            "-o", settings, "start",
        )  # fmt: skip

    def stop(self) -> None:
        """Stop it at once."""
        self._run(str(POSTGRES[-1] / "pg_ctl"), "-D", str(self._folder), "-m", "immediate", "stop")

    def _run(self, *command: str) -> None:
        subprocess.run(
            [*self._as, *command], check=True, cwd="/", stdout=subprocess.DEVNULL, timeout=60
        )
