"""A Redis and a PostgreSQL of one's own, on free ports and in temporary folders."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

import sqlalchemy as sa

from photochat.cli.typed import free_port

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
    """A cluster of one's own; owned by the user postgres if we are root, who may not run it.

    It survives the death of every process, and not that of the machine: nothing waits for the disk.
    """

    def __init__(self) -> None:
        self.port = free_port()
        # Not in pytest's folders, which the server's user may not enter.
        self._home = Path(tempfile.mkdtemp(prefix="postgres-"))
        self._as: list[str] = []
        if os.getuid() == 0:
            self._as = ["runuser", "-u", "postgres", "--"]
            shutil.chown(self._home, "postgres")

    def start(self) -> None:
        """Make the cluster and start it."""
        data = str(self._home / "data")
        self._run("initdb", "-D", data, "-A", "trust", "-U", "postgres")
        options = (
            f"-p {self.port} -k {self._home} -c listen_addresses=127.0.0.1 -c fsync=off "
            "-c max_connections=300"
        )
        self._run("pg_ctl", "-D", data, "-w", "-l", f"{self._home}/log", "-o", options, "start")

    def new_database(self) -> str:
        """Make a database and return its URL."""
        server, name = f"postgresql://postgres@127.0.0.1:{self.port}", f"db_{uuid.uuid4().hex}"
        admin = sa.create_engine(
            f"{server}/postgres".replace("postgresql", "postgresql+psycopg", 1),
            isolation_level="AUTOCOMMIT",
        )
        with admin.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        admin.dispose()
        return f"{server}/{name}"

    def stop(self) -> None:
        """Stop it at once, and leave nothing of it."""
        self._run("pg_ctl", "-D", str(self._home / "data"), "-m", "immediate", "stop")
        shutil.rmtree(self._home, ignore_errors=True)

    def _run(self, program: str, *words: str) -> None:
        subprocess.run(
            [*self._as, str(POSTGRES[-1] / program), *words], check=True, cwd=self._home,
            stdout=subprocess.DEVNULL, timeout=60,
        )  # fmt: skip
