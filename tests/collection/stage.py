"""A photo pool with pictures, and `photochat serve` as a process of its own: what attacks and
crashes are tried out on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from photochat.cli.typed import free_port
from photochat.photo import Photo
from photochat.pool import write_pool

SECRET = "a secret of the tests"
ADMIN_TOKEN = "the token of the tests"
LABELS = (
    ("Man", "Face", "Cake", "Wine glass"),
    ("Guitar", "Chair"),
    ("Animal", "Mammal", "Dog", "Tree"),
    ("Woman", "Face"),
    ("Pizza", "Fast food", "Food", "Table"),
    ("Girl", "Teddy bear", "Bed"),
    ("Bird", "Animal", "Lake"),
    ("Bicycle", "Wheel", "Building"),
)
START_SECONDS = 90.0


def make_photos(folder: Path, count: int) -> tuple[Path, Path]:
    """Write a pool of `count` photos and a picture for each; return the pool and the images."""
    images = folder / "images"
    (images / "train").mkdir(parents=True)
    photos = []
    for number in range(count):
        photo_id = f"train/{number:016x}"
        photos.append(
            Photo(photo_id, url=f"https://example.org/{number}.jpg", labels=LABELS[number % 8])
        )
        picture = images / f"{photo_id}.jpg"
        if number < 8:
            Image.new("RGB", (64, 48), (30 * number, 90, 200)).save(picture)
        else:
            picture.hardlink_to(images / f"train/{number % 8:016x}.jpg")
    write_pool(folder / "pool.parquet", photos)
    return folder / "pool.parquet", images


class Server:
    """`photochat serve` on a port that stays the same over restarts."""

    def __init__(self, folder: Path, options: Sequence[str], *, name: str = "server") -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / f"{name}.log"
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process's id."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, and wait until it serves."""
        environment = {
            **os.environ,
            "PHOTOCHAT_SECRET": SECRET,
            "PHOTOCHAT_ADMIN_TOKEN": ADMIN_TOKEN,
        }
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", "from photochat.cli import main; main()",
                 "serve", "--port", str(self.port), *self._options],
                env=environment, stdout=log, stderr=log,
            )  # fmt: skip
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            assert self._process.poll() is None, self.log.read_text()[-3000:]
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"does not serve: {self.log.read_text()[-3000:]}")

    def kill(self) -> None:
        """`kill -9`."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def stop(self) -> None:
        """End it for good."""
        self.kill()
