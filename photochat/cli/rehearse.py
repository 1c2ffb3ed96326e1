"""The command that rehearses a whole campaign before anybody is paid: rehearse."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Annotated, Any

import typer

from photochat.atomic import atomic_file
from photochat.cli.output import AsJson, Force, Seed, note, print_json
from photochat.cli.servers import PossibleDb, RedisUrl
from photochat.cli.typed import ask, free_port, in_background, run
from photochat.errors import DataError

SECRETS = ("PHOTOCHAT_SECRET", "PHOTOCHAT_ADMIN_TOKEN", "PHOTOCHAT_PSEUDONYM_KEY")
PATIENCE_SECONDS = "20"


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(rehearse)


def rehearse(
    context: typer.Context,
    config: Annotated[Path, typer.Option(help="The campaign file.", metavar="FILE")],
    pool: Annotated[Path, typer.Option(help="The photo pool.", metavar="FILE")],
    images: Annotated[
        Path, typer.Option(help="Folder of pictures, DIR/<photo_id>.jpg.", metavar="DIR")
    ],
    out: Annotated[Path, typer.Option(help="Folder to write; new or empty.", metavar="DIR")],
    pairs: Annotated[int, typer.Option(help="Twice as many bots take part.", min=1)] = 20,
    rate: Annotated[
        float, typer.Option(help="Messages a second that one bot writes.", min=0.001, max=100)
    ] = 1.0,
    odd: Annotated[
        float, typer.Option(help="Share of bots with odd ways of handing in.", min=0, max=1)
    ] = 0.1,
    rude: Annotated[
        float, typer.Option(help="Share of bots that swear or give addresses away.", min=0, max=1)
    ] = 0.0,
    db: PossibleDb = None,
    redis_url: RedisUrl = None,
    seed: Seed = 0,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Rehearse a campaign, from the estimate to the books, with bots instead of people.

    Bots are recruited through an emulated Mechanical Turk, chat through the real server, some drop
    out, and all are paid by the campaign file, of which only recruiter and addresses are replaced.
    DIR gets the dialogues (raw.jsonl), both databases and the bots' log. No network is used, no
    money spent. The chat server's database is DIR/chat.db; with --db, and --redis-url, it is what
    the campaign itself will use, in which the rehearsal has a name of its own (NAME-try-...).

    Example: photochat rehearse --config campaign.toml --pool pool.parquet --images photos --out try
    """
    from collection.campaign import parse_campaign
    from collection.rehearsed import name_of_its_own, rehearsed
    from photochat.toml import read_toml

    content = read_toml(config)
    name = parse_campaign(content, file=config).name
    if db is None:
        db = f"sqlite:///{out}/chat.db"
    else:
        content["name"] = name = name_of_its_own(name)
    _make_room(out, force)
    for variable in SECRETS:
        os.environ.setdefault(variable, secrets.token_urlsafe(32))
    chat, mturk = (f"127.0.0.1:{free_port()}" for _ in range(2))
    file = out / "campaign.toml"
    with atomic_file(file) as part:
        part.write_text(rehearsed(content, chat, mturk), encoding="utf-8")
    result = _campaign(
        context.find_root().command, file, pool, images, out, chat, mturk,
        name=name, db=db, redis=("--redis-url", redis_url) if redis_url else (),
        pairs=str(pairs), rate=str(rate), odd=str(odd), rude=str(rude), seed=str(seed),
    )  # fmt: skip
    if as_json:
        print_json(result)
        return
    books, held = result["reconcile"], result["export"]
    note(
        f"{held['dialogues']:,} whole dialogues in {out / 'raw.jsonl'}; spent "
        f"{books['ledger_spent']} by the ledger, {books['platform_spent']} by the platform, "
        f"{result['estimate']['expected']} expected"
    )


def _campaign(
    root: Any, file: Path, pool: Path, images: Path, out: Path, chat: str, mturk: str, *,
    name: str, db: str, redis: tuple[str, ...], pairs: str, rate: str, odd: str, rude: str,
    seed: str,
) -> dict[str, Any]:  # fmt: skip
    """Run the campaign and return what its commands answer, by their names.

    The platform is the emulator; the chat server, the sockets and the ledger are the real ones.
    """
    of_campaign = ["--config", file, "--db", db]
    at_mturk = [*of_campaign, "--endpoint", f"http://{mturk}"]
    bots = ["--mturk", f"http://{mturk}", "--pairs", pairs, "--seed", seed]
    answers: dict[str, Any] = {}
    with (
        in_background(
            "A Mechanical Turk to rehearse with, and the chat server.",
            "mturk-emulator", "--db", out / "mturk.db", "--port", mturk.partition(":")[2],
            "--allow-http", up=f"http://{mturk}/", log=out / "mturk.log",
        ),
        in_background(
            "",
            "serve", "--pool", pool, "--images", images, *of_campaign, *redis, "--port",
            chat.partition(":")[2], "--drain-seconds", "5",
            up=f"http://{chat}/healthz", log=out / "serve.log",
        ),
    ):  # fmt: skip
        answers["estimate"] = ask(
            root, "What will it cost, and what does an hour of it pay?",
            "campaign", "estimate", *of_campaign, "--conversations", pairs,
        )  # fmt: skip
        run(root, "Offer the work.", "campaign", "launch", "--pace", *at_mturk)
        answers["simulate"] = ask(
            root, "Strangers talk; one of the two shares a photo. Some drop out.",
            "simulate", "--url", f"http://{chat}", *bots, "--config", file, "--rate", rate,
            "--odd", odd, "--rude", rude, "--patience", PATIENCE_SECONDS,
            "--log", out / "workers.jsonl",
        )  # fmt: skip
        answers["review"] = ask(
            root, "Who handed in?", "campaign", "review", "--approve-automatically", *at_mturk
        )
        answers["pay"] = ask(
            root, "Pay what was promised, also those who could not hand in.",
            "campaign", "pay", "--compensate", *at_mturk, findings=True,
        )  # fmt: skip
        run(root, "", "simulate", *bots, "--compensation")
        ask(root, "", "campaign", "pay", "--compensate", *at_mturk, findings=True)
        answers["close"] = ask(root, "", "campaign", "close", *at_mturk)
        answers["reconcile"] = ask(
            root, "Do ledger and platform agree?", "campaign", "reconcile", *at_mturk
        )
    answers["export"] = ask(
        root, "Take the whole dialogues out.", "export", "--db", db, "--campaign", name,
        "--out", out / "raw.jsonl", "--complete",
    )  # fmt: skip
    return answers


def _make_room(out: Path, force: bool) -> None:
    """Make the folder; remove an earlier rehearsal's files from it if asked to."""
    if out.exists() and not out.is_dir():
        raise DataError("is a file: name a folder", file=out)
    if out.exists() and any(out.iterdir()) and not force:
        raise DataError("is not empty: name another folder, or add --force", file=out)
    out.mkdir(parents=True, exist_ok=True)
    for pattern in ("chat.db*", "mturk.db*", "workers.jsonl", "raw.jsonl"):
        for file in out.glob(pattern):
            file.unlink()
