"""A real `photochat review` in a process of its own, that can be killed and started again."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

from PIL import Image

from photochat.records import read_records, write_records
from tests.conftest import SAMPLE
from tests.e2e.chat_server import REPOSITORY
from verification.finding import Checked, Finding, write_findings

LINK = re.compile(r"^  (\w+)  (http://\S+)$", re.M)
START_SECONDS = 60
DIALOGUES = 60


class ReviewServer:
    """Reviewers ann and bob on the sample, with findings of every kind on some dialogues."""

    def __init__(self, folder: Path) -> None:
        from skimage import data

        self.db = f"sqlite:///{folder}/review.db"
        self.links: dict[str, str] = {}
        self._folder = folder
        self._log = folder / "log"
        self._port = "0"
        dialogues = read_records(SAMPLE)[:DIALOGUES]
        write_records(folder / "raw.jsonl", dialogues)
        pictures = [Image.fromarray(getattr(data, n)()) for n in ("coffee", "astronaut", "chelsea")]
        for number, dialogue in enumerate(dialogues):
            path = folder / "images" / f"{dialogue.photo_id}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            pictures[number % 3].save(path)
        write_findings(folder / "findings.jsonl", map(_checked, dialogues))

    def start(self) -> None:
        """Start it, where it was before if it was, and wait until it can be reached."""
        command = [
            sys.executable, "-c", "from photochat.cli import main; main()", "review",
            "--in", "raw.jsonl", "--findings", "findings.jsonl", "--images", "images",
            "--db", self.db, "--reviewer", "ann", "--reviewer", "bob", "--port", self._port,
        ]  # fmt: skip
        environment = {
            "PHOTOCHAT_SECRET": "a-secret-that-is-for-tests",
            "PYTHONPATH": str(REPOSITORY),
        }
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                command, cwd=self._folder, env={**os.environ, **environment}, stdout=log, stderr=log
            )
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            self.links = dict(LINK.findall(self._log.read_text()))
            if len(self.links) == 2:
                self._port = self.links["ann"].split("/")[2].split(":")[1]
                return
            assert self._process.poll() is None, self._log.read_text()
            time.sleep(0.1)
        raise AssertionError(self._log.read_text())

    def kill(self) -> None:
        """Kill it as a power cut would."""
        self._process.kill()
        self._process.wait()


def _checked(dialogue):
    number = dialogue.dialogue_id
    findings = [
        Finding("association", "review", "Nothing before the share speaks of the photo."),
        Finding("typos", "reject", "A fourth of the words is misspelt.", 0, 0, 4),
        Finding("shouting", "note", "Capital letters.", 1, 2, 8),
        Finding("language", "review", "Hardly English.", 1, 4, 12),
    ]
    skipped = ("likelihood",) if number == 0 else ()
    return Checked(number, tuple(findings if number == 0 else findings[number % 5 :]), skipped)
