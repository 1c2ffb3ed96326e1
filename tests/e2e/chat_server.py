"""A real `photochat serve` in a process of its own, with real photographs and a short campaign."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from photochat.photo import Photo
from photochat.pool import write_pool

REPOSITORY = Path(__file__).parents[2]
ADMIN_TOKEN = "an-admin-token-for-tests"
SERVING = re.compile(r"serving .* on (http://[\w.]+:\d+)")
PICTURES = {"coffee": ("Coffee", "Drink"), "astronaut": ("Woman", "Face"), "chelsea": ("Animal",)}

CAMPAIGN = """
[rules]
conversations_per_photo = 20
conversations_per_worker = 50
[timeouts]
away = {away}
idle_nudge = {idle_nudge}
idle_end = {idle_end}
[texts]
contact = "team@example.org"
[[survey]]
name = "natural"
question = "How natural was the conversation?"
low = "not at all"
high = "like with a friend"
required = true
[[survey]]
name = "comments"
question = "Anything that went wrong, or that we should know?"
kind = "text"
"""


class ChatServer:
    """A server that can be killed and started again."""

    def __init__(self, folder: Path, *, away: float, idle_nudge: float, idle_end: float) -> None:
        from skimage import data

        self.log = folder / "server.log"
        self.url = ""
        self._folder = folder
        images = folder / "images"
        images.mkdir()
        for name in PICTURES:
            Image.fromarray(getattr(data, name)()).save(images / f"{name}.jpg")
        photos = [Photo(photo_id=name, labels=labels) for name, labels in PICTURES.items()]
        write_pool(folder / "pool.parquet", photos)
        (folder / "campaign.toml").write_text(
            CAMPAIGN.format(away=away, idle_nudge=idle_nudge, idle_end=idle_end)
        )

    def start(self) -> None:
        """Start it, where it was before if it was, and wait until it can be reached."""
        port = self.url.rpartition(":")[2] or "0"
        command = [
            sys.executable, "-c", "from photochat.cli import main; main()", "serve",
            "--port", port, "--pool", "pool.parquet", "--images", "images",
            "--config", "campaign.toml", "--db", "sqlite:///chat.db", "--drain-seconds", "0",
        ]  # fmt: skip
        secrets = {
            "PHOTOCHAT_SECRET": "a-secret-that-is-for-tests-alone",
            "PHOTOCHAT_ADMIN_TOKEN": ADMIN_TOKEN,
            "PYTHONPATH": str(REPOSITORY),
        }
        with self.log.open("w") as output:
            self._process = subprocess.Popen(
                command,
                cwd=self._folder,
                env={**os.environ, **secrets},
                stderr=output,
                stdout=output,
            )
        self.url = _address(self._process, self.log)

    def kill(self) -> None:
        """Kill it as a power cut would."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """Ask it to end."""
        self._process.terminate()
        self._process.wait(timeout=20)


@contextmanager
def chat_server(
    folder: Path, *, away: float = 60, idle_nudge: float = 600, idle_end: float = 1200
) -> Iterator[ChatServer]:
    """Serve a pool of photographs."""
    server = ChatServer(folder, away=away, idle_nudge=idle_nudge, idle_end=idle_end)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _address(server: subprocess.Popen[bytes], log: Path) -> str:
    """Wait until the server says where it is reached."""
    while True:
        found = SERVING.search(log.read_text())
        if found:
            return found[1]
        if server.poll() is not None:
            raise RuntimeError(log.read_text())
        try:
            server.wait(timeout=0.1)
        except subprocess.TimeoutExpired:
            continue
