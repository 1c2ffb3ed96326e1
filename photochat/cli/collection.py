"""Commands that collect dialogues: serve, export."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from photochat.cli.environment import secret_of
from photochat.cli.output import AsJson, note, print_json
from photochat.cli.servers import Db, RedisUrl
from photochat.errors import DataError


class Level(str, Enum):
    """How much is logged."""

    debug = "DEBUG"
    info = "INFO"
    warning = "WARNING"


def register(app: typer.Typer) -> None:
    """Add the commands of this file to the command line."""
    app.command()(serve)
    app.command()(invite)
    app.command()(export)


def serve(
    pool: Annotated[Path, typer.Option(help="The photo pool.", metavar="FILE")],
    images: Annotated[
        Path, typer.Option(help="Folder of pictures, DIR/<photo_id>.jpg.", metavar="DIR")
    ],
    db: Db = "sqlite:///chat.db",
    config: Annotated[Path | None, typer.Option(help="The campaign file.", metavar="FILE")] = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port; 0 takes any.", min=0, max=65535)] = 8000,
    redis_url: RedisUrl = None,
    cache: Annotated[
        Path | None, typer.Option(help="Resized pictures; else beside the pool.", metavar="DIR")
    ] = None,
    origin: Annotated[
        list[str] | None, typer.Option(help="A further origin that sockets may come from.")
    ] = None,
    frame_ancestor: Annotated[
        list[str] | None, typer.Option(help="A site that may show the pages in a frame.")
    ] = None,
    proxies: Annotated[
        int, typer.Option(help="Reverse proxies before the server.", min=0, max=9)
    ] = 0,
    https: Annotated[bool, typer.Option(help="Workers come over TLS (the proxy's).")] = False,
    open_metrics: Annotated[
        bool, typer.Option("--open-metrics", help="/metrics without the token.")
    ] = False,
    drain_seconds: Annotated[
        float, typer.Option(help="On SIGTERM, wait for conversations to end.", min=0)
    ] = 30.0,
    demo: Annotated[
        bool,
        typer.Option(
            "--demo", help="Make up the secrets that are not set, and print links to try it."
        ),
    ] = False,
    log_level: Annotated[Level, typer.Option(help="How much is logged.")] = Level.info,
) -> None:
    """Serve the paired chat to workers, and the dashboard to the requester.

    PHOTOCHAT_SECRET signs sessions and links, PHOTOCHAT_ADMIN_TOKEN opens the dashboard.

    Example: photochat serve --pool pool.parquet --images images --config campaign.toml
    """
    secret = secret_of("PHOTOCHAT_SECRET", made_up=demo)
    admin_token = secret_of("PHOTOCHAT_ADMIN_TOKEN", made_up=demo, show=True)
    from collection.serve import patch

    patch()
    from collection.campaign import Campaign, load_campaign
    from collection.logs import start_logging
    from collection.serve import serve as run
    from collection.server import ServerConfig
    from photochat.pool import read_pool

    start_logging(log_level.value)
    if not images.is_dir():
        raise DataError("no such folder", file=images)
    settings = ServerConfig(
        db=db,
        pool=tuple(read_pool(pool)),
        images=images,
        campaign=load_campaign(config) if config else Campaign(),
        secret=secret,
        admin_token=admin_token,
        cache=cache or pool.parent / ".photo-cache",
        redis_url=redis_url,
        async_mode="gevent",
        origins=tuple(origin or ()),
        frame_ancestors=tuple(frame_ancestor or ()),
        proxies=proxies,
        https=https,
        open_metrics=open_metrics,
    )
    run(settings, host, port, drain_seconds, show_links=demo)


def invite(
    workers: Annotated[list[str], typer.Argument(help="Worker ids.", metavar="WORKER...")],
    url: Annotated[str, typer.Option(help="Where the server is reached.", metavar="URL")],
    campaign: Annotated[str, typer.Option(help="The campaign's name.")] = "photochat",
    as_json: AsJson = False,
) -> None:
    """Print signed invitation links, one a worker.

    Signed with PHOTOCHAT_SECRET, which must be the server's.

    Example: photochat invite w1 w2 --url https://chat.example.org
    """
    from collection.tokens import Tokens, invitation_link

    tokens = Tokens(secret_of("PHOTOCHAT_SECRET"))
    links = {worker: invitation_link(url, tokens, campaign, worker) for worker in workers}
    if as_json:
        print_json(links)
    else:
        print("\n".join(links.values()))


def export(
    db: Db,
    out: Annotated[Path, typer.Option(help="The file to write.", metavar="FILE.jsonl")],
    campaign: Annotated[
        str | None, typer.Option(help="One campaign; needed if there are several.")
    ] = None,
    complete: Annotated[
        bool, typer.Option("--complete", help="Only dialogues that were properly ended.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write the dialogues collected so far as JSON lines, worker ids pseudonymised.

    The pseudonyms are keyed hashes with PHOTOCHAT_PSEUDONYM_KEY: keep the key and they stay the
    same, destroy it and nobody can lead them back.

    Example: photochat export --db sqlite:///chat.db --out raw.jsonl
    """
    from collection.export import export as run

    key = secret_of("PHOTOCHAT_PSEUDONYM_KEY")
    result = run(db, out, key=key, campaign=campaign, only_complete=complete)
    if as_json:
        print_json(result)
    else:
        note(
            f"{out}: {result.dialogues:,} dialogues ({result.complete:,} complete, "
            f"{result.incomplete:,} not), {result.left_out:,} left out "
            f"({result.without_words:,} without a word, {result.not_complete:,} not complete, "
            f"{result.live:,} still going on)"
        )
