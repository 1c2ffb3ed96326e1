"""Commands run as if somebody typed them: shown, carried out, some of them in the background."""

from __future__ import annotations

import contextlib
import ctypes
import io
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from photochat.atomic import make_private
from photochat.cli.output import note
from photochat.errors import DataError
from photochat.passwords import without_password

START_SECONDS = 60
STOP_SECONDS = 30


def run(root: Any, title: str, *arguments: object, findings: bool = False) -> None:
    """Show a command under a title and carry it out; `findings` lets it end with status 1.

    Raises:
        DataError: it failed.
    """
    words = [str(argument) for argument in arguments]
    announce(title, words)
    _check(words, root.main(words, prog_name="photochat", standalone_mode=False), findings)


def ask(root: Any, title: str, *arguments: object, findings: bool = False) -> Any:
    """Show a command, carry it out with --json, and return what it answers.

    Raises:
        DataError: it failed.
    """
    words = [*(str(argument) for argument in arguments), "--json"]
    announce(title, words)
    status, printed = listen(root, words)
    _check(words, status, findings)
    return msgspec.json.decode(printed)


def listen(root: Any, words: Sequence[str]) -> tuple[int, str]:
    """Carry a command out; return its status and what it printed."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        status = root.main(list(words), prog_name="photochat", standalone_mode=False)
    return status or 0, printed.getvalue()


def announce(title: str, words: Sequence[str], *, background: bool = False) -> None:
    """Show a command under a title, on stderr: stdout is for results."""
    if title:
        note(f"\n\033[1m{title}\033[0m" if sys.stderr.isatty() else f"\n{title}")
    note(f"$ photochat {without_password(shlex.join(words))}{' &' if background else ''}")


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
    log.unlink(missing_ok=True)
    make_private(log)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "photochat", *words], stdout=output, stderr=output,
            preexec_fn=_end_with_parent(),
        )  # fmt: skip
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


def _end_with_parent() -> Callable[[], object] | None:
    """Return what makes a child end when this process is killed; Linux alone knows that."""
    if sys.platform != "linux":
        return None
    prctl, death_signal = ctypes.CDLL(None).prctl, 1  # PR_SET_PDEATHSIG
    return lambda: prctl(death_signal, signal.SIGTERM)


def _check(words: list[str], status: int | None, findings: bool) -> None:
    if status and not (findings and status == 1):
        raise DataError(f"photochat {words[0]} ended with status {status}")


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5):  # noqa: S310 - an address of ours
            return True
    except (urllib.error.URLError, OSError):
        return False
