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


@contextmanager
def chat_server(
    folder: Path, *, away: float = 60, idle_nudge: float = 600, idle_end: float = 1200
) -> Iterator[str]:
    """Serve a pool of photographs; yield the address."""
    from skimage import data

    images = folder / "images"
    images.mkdir()
    for name in PICTURES:
        Image.fromarray(getattr(data, name)()).save(images / f"{name}.jpg")
    pool = folder / "pool.parquet"
    write_pool(pool, [Photo(photo_id=name, labels=labels) for name, labels in PICTURES.items()])
    config = folder / "campaign.toml"
    config.write_text(CAMPAIGN.format(away=away, idle_nudge=idle_nudge, idle_end=idle_end))
    command = [
        sys.executable, "-c", "from photochat.cli import main; main()", "serve", "--port", "0",
        "--pool", str(pool), "--images", str(images), "--config", str(config),
        "--db", f"sqlite:///{folder / 'chat.db'}", "--drain-seconds", "0",
    ]  # fmt: skip
    secrets = {
        "PHOTOCHAT_SECRET": "a-secret-that-is-for-tests-alone",
        "PHOTOCHAT_ADMIN_TOKEN": ADMIN_TOKEN,
        "PYTHONPATH": str(REPOSITORY),
    }
    log = folder / "server.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **secrets}, stderr=output, stdout=output
        )
        try:
            yield _address(server, log)
        finally:
            server.terminate()
            server.wait(timeout=20)


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
