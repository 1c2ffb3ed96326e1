"""A browser, two kinds of server, and workers who come as far as the waiting room or a chat."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.conftest import unavailable
from tests.e2e.chat_server import chat_server
from tests.e2e.worker import Worker

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip

NewWorker = Callable[..., Worker]
_names = count(1)


@pytest.fixture(scope="module")
def chromium() -> Iterator[object]:
    """Debian's Chromium. Without it browser tests are skipped; where CI is set they fail."""
    path = shutil.which("chromium") or CHROMIUM
    if not Path(path).exists():
        unavailable("Chromium is not installed (apt-get install chromium)")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, impatient: str) -> Iterator[str]:
    """A server with patient timeouts.

    The impatient one starts before it: nobody counts as late in the first seconds of a server, and
    so they are over when they matter.
    """
    with chat_server(tmp_path_factory.mktemp("patient")) as running:
        yield running.url


@pytest.fixture(scope="session")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that counts somebody as gone, and asks whether they are there, after seconds."""
    with chat_server(
        tmp_path_factory.mktemp("impatient"), away=3, idle_nudge=1, idle_end=600
    ) as running:
        yield running.url


@pytest.fixture
def new_worker(chromium: object, server: str) -> Iterator[NewWorker]:
    """Make workers, each in a browser context of their own; at the end no page may have failed."""
    made: list[Worker] = []

    def make(url: str = server, name: str = "", **context: object) -> Worker:
        worker = Worker(chromium, url, name or f"w{next(_names)}", **context)
        made.append(worker)
        return worker

    yield make
    for worker in made:
        worker.close()
    for worker in made:
        assert worker.complaints == [], worker.name


@pytest.fixture
def pair(new_worker: NewWorker) -> Callable[..., tuple[Worker, Worker]]:
    """Return two workers who talk with one another: the sharer, and the receiver."""

    def make(**context: object) -> tuple[Worker, Worker]:
        both = [new_worker(**context), new_worker(**context)]
        for worker in both:
            worker.enter()
        for worker in both:
            worker.page.locator("#talking").wait_for()
        if not both[0].page.locator("#sharer").is_visible():
            both.reverse()
        return both[0], both[1]

    return make
