"""The documents' commands that need servers, in the order in which they stand, as they stand.

README and the quick starts run from their first command to the last. Only ports differ, and how
many bots there are and how fast they write.
"""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from photochat.cli.rehearse import SECRETS
from photochat.cli.typed import free_port, in_background
from photochat.pool import read_pool, write_pool
from photochat.sample_pictures import write_pictures
from tests.conftest import REPOSITORY, SAMPLE
from tests.test_docs import (
    IN_ORDER,
    WITH_A_SERVER,
    all_commands_in,
    as_here,
    furnish,
    run_one,
)

WITH_SERVERS = ("collection.md", "campaigns.md", "money.md", "verification-review.md",
                "hit-templates.md", "mturk-emulator.md")  # fmt: skip
PORTS = {"serve": 8000, "review": 8001, "mturk-emulator": 8200, "hit": 9100}
HEALTH = {"serve": "/healthz", "review": "/healthz"}  # the others' first page
ELSEWHERE = {"browse"}  # tests/filtering/test_browse_app.py
FAST = {name: ["--pairs", "3", "--rate", "20"] for name in ("simulate", "rehearse")}
FINDINGS = {"pay": 1, "reconcile": 1}  # something is left to do, or differs
REFUSED = "--reason bad"  # the example of a reason that is too short


def documented() -> list[list[str]]:
    """Return each command's words, those that stand twice once."""
    found: dict[str, list[str]] = {}
    for name in (*IN_ORDER, *WITH_SERVERS):
        file = REPOSITORY / name if name == "README.md" else REPOSITORY / "docs" / name
        for line in all_commands_in(file.read_text()):
            words = shlex.split(line, comments=True)[1:]
            if name in IN_ORDER or words[0] in WITH_A_SERVER or "--serve" in words:
                found.setdefault(line, words)
    return [words for words in found.values() if words[0] not in ELSEWHERE]


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


@pytest.mark.slow
def test_the_documents_run_from_the_first_command_to_the_last(
    tmp_path: Path,
    run_photochat: Callable[..., tuple[int, str, str]],
    language_model: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    furnish(tmp_path)
    monkeypatch.chdir(tmp_path)
    for name in SECRETS:
        monkeypatch.setenv(name, "a secret of this test alone")
    background = Background(tmp_path)
    campaign = (
        (SAMPLE.parent / "campaign.toml").read_text().replace("photochat-sample", "photochat")
    )
    Path("campaign.toml").write_text(background.moved(campaign))
    # Where no endpoint is named the platform's sandbox is asked: here, the emulator.
    sandbox = background.moved("http://127.0.0.1:8200")
    monkeypatch.setenv("PHOTOCHAT_MTURK_ENDPOINT", sandbox)
    try:
        background.start(["mturk-emulator", "--db", "sandbox.db", "--allow-http"])
        for line in documented():
            words = [background.moved(word) for word in as_here(line, language_model)]
            if words[0] in PORTS:
                background.start(words)
            elif words[0] not in WITH_A_SERVER:
                run_one(words, run_photochat)
                if words[0] == "filter":
                    photos = read_pool("pool.parquet")[:60]
                    write_pool("pool.parquet", photos)
                    write_pictures(photos, Path("photos"))
                    Path("images").symlink_to("photos")
            else:
                shutil.rmtree("rehearsal", ignore_errors=True)
                status, _, err = run_photochat(*words, *FAST.get(words[0], []))
                print(words, status, err[-300:])
    finally:
        background.stop()
