"""The documents' commands that need servers, in the order in which they stand, as they stand.

README and the quick starts run from their first command to the last. Only ports differ, and how
many bots there are and how fast they write.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from filtering.filter import Inputs, filter_photos
from photochat.cli.rehearse import SECRETS
from photochat.cli.typed import free_port, in_background
from photochat.photo import Photo
from photochat.pool import read_pool, write_pool
from photochat.records import write_records
from photochat.sample_pictures import write_pictures
from tests.conftest import REPOSITORY
from tests.e2e.hurry import hurried
from tests.test_docs import (
    IN_ORDER,
    WITH_A_SERVER,
    all_commands_in,
    as_here,
    furnish,
    run_one,
    sample,
)

# Of these, the commands with a server alone: tests/test_docs.py runs the others.
WITH_SERVERS = ("collection.md", "campaigns.md", "money.md", "verification-review.md",
                "hit-templates.md", "mturk-emulator.md")  # fmt: skip
PORTS = {"serve": 8000, "review": 8001, "mturk-emulator": 8200, "hit": 9100}
HEALTH = {"serve": "/healthz", "review": "/healthz"}  # the others' first page
ELSEWHERE = {"browse"}  # tests/filtering/test_browse_app.py
FAST = {name: ["--pairs", "3", "--rate", "20"] for name in ("simulate", "rehearse")}
PHOTOS = 60
SERVE = shlex.split("serve --pool pool.parquet --images photos --config campaign.toml")
PEOPLE = shlex.split(
    "simulate --url http://127.0.0.1:8000 --config campaign.toml --pairs 2 --rate 20 --spoiling 0"
)
# A status that is no failure: something is left to do, or the example is one of a refusal.
STATUS = {"campaign pay ": {0, 1}, "--reason bad": {2}, "campaign payments": {2}}  # by links alone


def commands_of(name: str) -> list[list[str]]:
    """Return the words of each command of a document that is to be run."""
    file = REPOSITORY / name if name == "README.md" else REPOSITORY / "docs" / name
    lines = [shlex.split(line, comments=True)[1:] for line in all_commands_in(file.read_text())]
    return [
        words
        for words in lines
        if words[0] not in ELSEWHERE
        and (name in IN_ORDER or words[0] in WITH_A_SERVER or "--serve" in words)
    ]


class Background:
    """The servers that are running, one of each kind; a second takes the place of the first."""

    def __init__(self, folder: Path) -> None:
        self.ports = {kind: free_port() for kind in PORTS}
        self._folder = folder
        self._running: dict[str, ExitStack] = {}

    def moved(self, text: str) -> str:
        """Return a text with the servers' ports in place of the documents' own."""
        for kind, port in PORTS.items():
            text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{self.ports[kind]}")
            text = str(self.ports[kind]) if text == str(port) else text
        return text

    def start(self, words: list[str]) -> None:
        """Start a server, and wait until it answers."""
        kind = words[0]
        self.stop(kind)
        port = self.ports[kind]
        words = words if "--port" in words else [*words, "--port", str(port)]
        self._running[kind] = ExitStack()
        self._running[kind].enter_context(
            in_background(
                "", *words, up=f"http://127.0.0.1:{port}{HEALTH.get(kind, '/')}",
                log=self._folder / f"{kind}.log",
            )
        )  # fmt: skip

    def stop(self, *kinds: str) -> None:
        """Stop those that run of some kinds, or of all."""
        for kind in kinds or tuple(self._running):
            if kind in self._running:
                self._running.pop(kind).close()


@pytest.fixture(scope="module")
def rehearsed() -> set[str]:
    """Holds something once a rehearsal has run: it takes long, and several documents have one."""
    return set()


@pytest.fixture
def background(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Background]:
    """A folder with what the documents read, and what their readers are told to have running."""
    furnish(tmp_path)
    monkeypatch.chdir(tmp_path)
    for name in SECRETS:
        monkeypatch.setenv(name, "a secret of this test alone")
    servers = Background(tmp_path)
    campaign = hurried(waiting=(20, 5), conversation=(40, 12), submit=(20, 6))
    campaign = campaign.replace("photochat-sample", "photochat")
    Path("campaign.toml").write_text(servers.moved(campaign))
    pool = find_photos()
    write_pool("pool.parquet", pool)
    write_pictures(pool, Path("photos"))
    Path("images").symlink_to("photos")
    write_records("raw.jsonl", sample())
    # Where no endpoint is named the platform's sandbox is asked: here, the emulator.
    monkeypatch.setenv("PHOTOCHAT_MTURK_ENDPOINT", servers.moved("http://127.0.0.1:8200"))
    yield servers
    servers.stop()


def find_photos() -> list[Photo]:
    """Filter the photos by the files that the documents name; return some."""
    inputs = Inputs(
        boxes=(Path("validation-annotations-bbox.csv"),),
        classes=(Path("class-descriptions-boxable.csv"),),
        hierarchy=Path("bbox_labels_600_hierarchy.json"),
    )
    filter_photos(inputs, "pool.parquet")
    return list(read_pool("pool.parquet"))[:PHOTOS]


@pytest.mark.slow
@pytest.mark.parametrize("document", [*IN_ORDER, *WITH_SERVERS])
def test_a_document_runs_from_its_first_command_to_its_last(
    document: str,
    background: Background,
    rehearsed: set[str],
    run_photochat: Callable[..., tuple[int, str, str]],
    language_model: str,
) -> None:
    if document in ("quick-starts.md", "campaigns.md", "money.md"):
        background.start(["mturk-emulator", "--db", "turk.db", "--allow-http"])
    if document in ("campaigns.md", "money.md"):  # which begin beside a server that is running
        background.start(SERVE)
    for line in commands_of(document):
        words = [background.moved(word) for word in as_here(line, language_model)]
        if document == "quick-starts.md" and words[0] == "export":  # by now people have talked
            assert run_photochat(*map(background.moved, PEOPLE))[0] == 0
        if words[0] in PORTS:
            background.start(words)
        elif words[0] not in WITH_A_SERVER:
            run_one(words, run_photochat)
            if words[0] == "filter":  # fewer photos, so that their pictures are soon drawn
                write_pool("pool.parquet", list(read_pool("pool.parquet"))[:PHOTOS])
        elif words[0] != "rehearse" or not rehearsed:
            status, _, err = run_photochat(*words, *FAST.get(words[0], []))
            said = " ".join(words)
            expected = next((STATUS[part] for part in STATUS if part in said), {0})
            assert status in expected, (said, err)
            rehearsed |= {"done"} if words[0] == "rehearse" else set()
