"""The demonstration: the commands a newcomer would type, run one after the other on the sample."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import time
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from photochat.atomic import atomic_file
from photochat.cli.output import Force
from photochat.cli.training import demo_steps
from photochat.cli.typed import announce, free_port, in_background, run
from photochat.errors import DataError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

SEED = "1"
CONTACT_SHEET_SEED = "93"  # draws the four real pictures
SUBSETS = ("train", "validation", "test")  # of Open Images
PAIRS = "40"
MESSAGES_PER_SECOND = "3"  # of each simulated worker: nobody reads along
ODD = "0.1"  # share of the workers who return, submit twice, submit nothing or a copied code
REVIEWERS = ("ann=0.95", "bob=0.9", "cho=0.8")  # shares of right verdicts
SAMPLE_CHAT, SAMPLE_MTURK = "127.0.0.1:8000", "127.0.0.1:8200"  # in the sample's campaign file
EVALUATED_DIALOGUES = "8"  # in dev and in test each
SECRETS = ("PHOTOCHAT_SECRET", "PHOTOCHAT_ADMIN_TOKEN", "PHOTOCHAT_PSEUDONYM_KEY")


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

    Photos are filtered from Open Images files; simulated workers are recruited through an emulated
    Mechanical Turk, talk about them through the real chat server and are paid; their dialogues are
    checked, reviewed, split, counted, evaluated and packaged. Each step is a command that you can
    type yourself; the files stay in DIR.

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
    for file in (sample / "open_images").iterdir():
        _copy(file, annotations / file.name)

    boxes = [f"{annotations}/{subset}-annotations-bbox.csv" for subset in SUBSETS]
    run(
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
        announce("Open two of the links in two browsers.", words)
        # A process of its own: the server patches sockets and threads before anything is imported.
        os.execv(sys.executable, [sys.executable, "-m", "photochat", *words])  # noqa: S606
    run(
        root, "Look at some of them.", "contact-sheet", pool, "--images", images, "--n", "24",
        "--seed", CONTACT_SHEET_SEED, "--out", out / "contact-sheet.png",
    )  # fmt: skip
    raw = _collect(root, out, pool, images)
    replace = ["--force"] if force else []
    accepted = _verify(root, out, raw, replace)
    release, intent = out / "release", out / "intent"
    shutil.rmtree(intent, ignore_errors=True)
    for title, arguments in (
        ("What is wrong with the dialogues?", ["validate", raw]),
        (
            "Cut them into splits without a leak.",
            ["split", accepted, "--out", release, "--dev", EVALUATED_DIALOGUES, "--test",
             EVALUATED_DIALOGUES, "--seed", SEED, *replace],
        ),
        ("Count them as the paper does.", ["stats", release, "--plots", out / "plots"]),
        ("How far does BM25 get?", ["evaluate", "bm25", "--data", release, "--split", "test"]),
        *demo_steps(release, intent),
        (
            "Make them ready to publish.",
            ["package", release, "--out", out / "package", "--name", "photochat-sample",
             "--license", "apache-2.0", *replace],
        ),
    ):  # fmt: skip
        run(root, title, *arguments, findings=arguments[0] == "validate")
    print(
        f"\nDone in {time.monotonic() - start:.0f} s. Look at contact-sheet.png, check.html, "
        f"decisions/report.html, plots and package/README.md in {out}, or run the same commands on "
        "your own files."
    )


def _collect(root: Any, out: Path, pool: Path, images: Path) -> Path:
    """Rehearse a paid campaign: people found, chats held, everybody paid; return the dialogues.

    The platform is the MTurk emulator; the chat server, the sockets and the ledger are the real
    ones.
    """
    chats, books, diary, raw = (
        out / name for name in ("chat.db", "mturk.db", "workers.jsonl", "raw.jsonl")
    )
    for earlier in (*out.glob("chat.db*"), *out.glob("mturk.db*"), diary):
        earlier.unlink(missing_ok=True)
    for name in SECRETS:
        os.environ.setdefault(name, secrets.token_urlsafe(32))
    chat, mturk = (f"127.0.0.1:{free_port()}" for _ in range(2))
    config = out / "campaign.toml"
    with atomic_file(config) as part:
        text = (resources.files("photochat") / "sample" / "campaign.toml").read_text()
        part.write_text(text.replace(SAMPLE_CHAT, chat).replace(SAMPLE_MTURK, mturk))
    of_campaign = ["--config", config, "--db", f"sqlite:///{chats}"]
    at_mturk = [*of_campaign, "--endpoint", f"http://{mturk}"]
    bots = ["--mturk", f"http://{mturk}", "--pairs", PAIRS, "--seed", SEED]
    with (
        in_background(
            "A Mechanical Turk to rehearse with, and the chat server.",
            "mturk-emulator", "--db", books, "--port", mturk.partition(":")[2], "--allow-http",
            up=f"http://{mturk}/", log=out / "mturk.log",
        ),
        in_background(
            "",
            "serve", "--pool", pool, "--images", images, *of_campaign, "--port",
            chat.partition(":")[2], "--drain-seconds", "5",
            up=f"http://{chat}/healthz", log=out / "serve.log",
        ),
    ):  # fmt: skip
        run(
            root, "What will it cost, and what does an hour of it pay?",
            "campaign", "estimate", *of_campaign, "--conversations", PAIRS,
        )  # fmt: skip
        run(root, "Offer the work.", "campaign", "launch", "--pace", *at_mturk)
        run(
            root, "Strangers talk; one of the two shares a photo. Some drop out.",
            "simulate", "--url", f"http://{chat}", *bots, "--config", config,
            "--rate", MESSAGES_PER_SECOND, "--odd", ODD, "--patience", "20", "--log", diary,
        )  # fmt: skip
        run(root, "Who handed in?", "campaign", "review", "--approve-automatically", *at_mturk)
        run(
            root, "Pay what was promised, also those who could not hand in.",
            "campaign", "pay", "--compensate", *at_mturk, findings=True,
        )  # fmt: skip
        run(root, "", "simulate", *bots, "--compensation")
        run(root, "", "campaign", "pay", "--compensate", *at_mturk, findings=True)
        run(root, "", "campaign", "close", *at_mturk)
        run(root, "Do ledger and platform agree?", "campaign", "reconcile", *at_mturk)
    run(
        root, "Take the whole dialogues out.", "export", "--db", f"sqlite:///{chats}",
        "--out", raw, "--complete",
    )  # fmt: skip
    return raw


def _verify(root: Any, out: Path, raw: Path, replace: list[str]) -> Path:
    """Let machines flag and (simulated) people decide; return the accepted dialogues."""
    findings, votes, known = out / "findings.jsonl", out / "review.db", out / "reviewers.json"
    for earlier in (*out.glob("review.db*"), findings, known):
        earlier.unlink(missing_ok=True)
    run(
        root, "Machines flag.", "check", raw, "--out", findings, "--report", out / "check.html",
        "--no-models",
    )  # fmt: skip
    review = ["--in", raw, "--findings", findings]
    run(
        root, "People decide: three reviewers for each, of a quality that is known here.",
        "simulate-reviews", *review, "--db", f"sqlite:///{votes}", "--overlap", "3",
        *(part for reviewer in REVIEWERS for part in ("--reviewer", reviewer)),
        "--known", known, "--seed", SEED,
    )  # fmt: skip
    run(
        root, "Who is right, and how much do they agree?",
        "decide", *review, "--votes", f"sqlite:///{votes}", "--known", known,
        "--out", out / "decisions", *replace,
    )  # fmt: skip
    return out / "decisions" / "accepted.jsonl"


def _copy(source: Traversable, target: Path) -> None:
    with atomic_file(target) as part:
        part.write_bytes(source.read_bytes())
