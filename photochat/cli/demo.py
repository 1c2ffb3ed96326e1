"""The demonstration: the commands a newcomer would type, run one after the other on the sample."""

from __future__ import annotations

import os
import secrets
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
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from photochat.atomic import atomic_file
from photochat.cli.output import Force
from photochat.errors import DataError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

SEED = "1"
CONTACT_SHEET_SEED = "93"  # draws the four real pictures
SUBSETS = ("train", "validation", "test")  # of Open Images
PAIRS = "40"
MESSAGES_PER_SECOND = "3"  # of each simulated worker: nobody reads along
EVALUATED_DIALOGUES = "8"  # in dev and in test each
SECRETS = ("PHOTOCHAT_SECRET", "PHOTOCHAT_ADMIN_TOKEN", "PHOTOCHAT_PSEUDONYM_KEY")
START_SECONDS = 60


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(demo)


def demo(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="Folder to write.", metavar="DIR")] = Path("demo"),
    serve: Annotated[
        bool, typer.Option("--serve", help="Serve the chat on the sample, to try it by hand.")
    ] = False,
    port: Annotated[int, typer.Option(help="With --serve: the port.", min=0, max=65535)] = 8000,
    force: Force = False,
) -> None:
    """Run the toolkit on its made-up sample.

    Photos are filtered from Open Images files, simulated workers talk about them through the real
    chat server, and their dialogues are checked, split, counted, evaluated and packaged. Each step
    is a command that you can type yourself; the files stay in DIR.

    Example: photochat demo --out demo
    """
    from photochat.pool import read_pool
    from photochat.sample_pictures import write_pictures

    if not force and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError("is not empty: name another folder, or add --force", file=out)
    root = context.find_root().command
    start = time.monotonic()
    annotations, pool, images = out / "open_images", out / "pool.parquet", out / "images"
    sample = resources.files("photochat") / "sample"
    _copy(sample / "campaign.toml", out / "campaign.toml")
    for file in (sample / "open_images").iterdir():
        _copy(file, annotations / file.name)

    boxes = [f"{annotations}/{subset}-annotations-bbox.csv" for subset in SUBSETS]
    _run(
        root, "Which photos would people share?", "filter",
        *(part for file in boxes for part in ("--boxes", file)),
        "--classes", f"{annotations}/class-descriptions.csv",
        "--hierarchy", f"{annotations}/class-hierarchy.json",
        "--metadata", f"{annotations}/image_ids_and_rotation.csv", "--out", pool,
    )  # fmt: skip
    photos = read_pool(pool)
    real = write_pictures(photos, images)
    print(
        f"\n(The sample has no picture files: {len(photos) - real} are drawn from their boxes, "
        f"{real} come with scikit-image.)"
    )
    if serve:
        words = ["serve", "--demo", "--pool", str(pool), "--images", str(images)]
        words += ["--db", f"sqlite:///{out}/try.db", "--port", str(port)]
        _announce("Open two of the links in two browsers.", words)
        # A process of its own: the server patches sockets and threads before anything is imported.
        os.execv(sys.executable, [sys.executable, "-m", "photochat", *words])  # noqa: S606
    _run(
        root, "Look at some of them.", "contact-sheet", pool, "--images", images, "--n", "24",
        "--seed", CONTACT_SHEET_SEED, "--out", out / "contact-sheet.png",
    )  # fmt: skip
    raw = _collect(root, out, pool, images)
    release, replace = out / "release", ["--force"] if force else []
    for title, arguments in (
        ("What is wrong with the dialogues?", ["validate", raw]),
        (
            "Cut them into splits without a leak.",
            ["split", raw, "--out", release, "--dev", EVALUATED_DIALOGUES, "--test",
             EVALUATED_DIALOGUES, "--seed", SEED, *replace],
        ),
        ("Count them as the paper does.", ["stats", release, "--plots", out / "plots"]),
        ("How far does BM25 get?", ["evaluate", "bm25", "--data", release, "--split", "test"]),
        (
            "Make them ready to publish.",
            ["package", release, "--out", out / "package", "--name", "photochat-sample",
             "--license", "apache-2.0", *replace],
        ),
    ):  # fmt: skip
        _run(root, title, *arguments)
    print(
        f"\nDone in {time.monotonic() - start:.0f} s. Look at {out}/contact-sheet.png, {out}/plots "
        f"and {out}/package/README.md, or run the same commands on your own files."
    )


def _collect(root: Any, out: Path, pool: Path, images: Path) -> Path:
    """Let simulated workers chat through a real server; return the exported dialogues."""
    database, diary, raw = out / "chat.db", out / "workers.jsonl", out / "raw.jsonl"
    for earlier in (*out.glob("chat.db*"), diary):
        earlier.unlink(missing_ok=True)
    for name in SECRETS:
        os.environ.setdefault(name, secrets.token_urlsafe(32))
    config = out / "campaign.toml"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    serve = [
        "serve", "--pool", str(pool), "--images", str(images), "--db", f"sqlite:///{database}",
        "--config", str(config), "--port", port, "--drain-seconds", "5",
    ]  # fmt: skip
    _announce("Strangers talk; one of the two shares a photo.", serve, background=True)
    with _server(serve, port, out / "serve.log"):
        _run(
            root, "", "simulate", "--url", f"http://127.0.0.1:{port}", "--config", config,
            "--pairs", PAIRS, "--rate", MESSAGES_PER_SECOND, "--seed", SEED, "--log", diary,
        )  # fmt: skip
    _run(
        root, "Take the whole dialogues out.", "export", "--db", f"sqlite:///{database}",
        "--out", raw, "--complete",
    )  # fmt: skip
    return raw


@contextmanager
def _server(arguments: list[str], port: str, log: Path) -> Iterator[None]:
    """Run `photochat serve` in a process of its own; stop it gently at the end.

    Raises:
        DataError: it did not come up; its log says why.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "photochat", *arguments], stdout=output, stderr=output
        )
        try:
            deadline = time.monotonic() + START_SECONDS
            while not _is_up(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise DataError("the chat server did not start: see there", file=log)
                time.sleep(0.1)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _is_up(port: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


def _run(root: Any, title: str, *arguments: object) -> None:
    words = [str(argument) for argument in arguments]
    _announce(title, words)
    status = root.main(words, prog_name="photochat", standalone_mode=False)
    if status and words[0] != "validate":  # which exits 1 on findings
        raise DataError(f"photochat {words[0]} ended with status {status}")


def _announce(title: str, words: list[str], *, background: bool = False) -> None:
    heading = f"\n\033[1m{title}\033[0m\n" if title else ""
    print(f"{heading}$ photochat {shlex.join(words)}{' &' if background else ''}", flush=True)


def _copy(source: Traversable, target: Path) -> None:
    with atomic_file(target) as part:
        part.write_bytes(source.read_bytes())
