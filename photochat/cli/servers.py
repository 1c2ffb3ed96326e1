"""Options that name the servers of a campaign: its database, and the Redis between processes."""

from __future__ import annotations

from typing import Annotated

import typer

_DB = typer.Option(
    help="The chat server's database: sqlite:///FILE or postgresql://...", metavar="URL"
)

Db = Annotated[str, _DB]
PossibleDb = Annotated[str | None, _DB]  # what stands in for it is the command's affair
RedisUrl = Annotated[
    str | None,
    typer.Option(
        help="Needed with several processes.", metavar="URL", envvar="PHOTOCHAT_REDIS_URL"
    ),
]
