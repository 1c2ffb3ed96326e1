"""Commands run as if somebody typed them: shown, carried out, some of them in the background."""

from __future__ import annotations

import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from photochat.errors import DataError

START_SECONDS = 60
STOP_SECONDS = 30


def run(root: Any, title: str, *arguments: object, findings: bool = False) -> None:
    """Show a command under a title and carry it out; `findings` lets it end with status 1.

    Raises:
        DataError: it failed.
    """
    words = [str(argument) for argument in arguments]
    announce(title, words)
    status = root.main(words, prog_name="photochat", standalone_mode=False)
    if status and not (findings and status == 1):
        raise DataError(f"photochat {words[0]} ended with status {status}")


def announce(title: str, words: list[str], *, background: bool = False) -> None:
    """Show a command under a title."""
    heading = f"\n\033[1m{title}\033[0m\n" if title else ""
    print(f"{heading}$ photochat {shlex.join(words)}{' &' if background else ''}", flush=True)


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def in_background(title: str, *arguments: object, up: str, log: Path) -> Iterator[None]:
    """Show a command and run it in a process of its own, until the context ends.

    `up` is the address that answers once it is there.

    Raises:
        DataError: it did not come up; its log says why.
    """
    words = [str(argument) for argument in arguments]
    announce(title, words, background=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "photochat", *words], stdout=output, stderr=output
        )
        try:
            deadline = time.monotonic() + START_SECONDS
            while not _answers(up):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise DataError(f"photochat {words[0]} did not start: see there", file=log)
                time.sleep(0.1)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5):  # noqa: S310 - an address of ours
            return True
    except (urllib.error.URLError, OSError):
        return False
