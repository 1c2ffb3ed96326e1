"""The command that serves a Mechanical Turk to rehearse with."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated

import typer

from photochat.errors import DataError


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(mturk_emulator)


def mturk_emulator(
    db: Annotated[
        Path, typer.Option(help="Its database, a file; made if there is none.", metavar="FILE")
    ],
    port: Annotated[int, typer.Option(help="The port; 0 takes any.", min=0, max=65535)] = 8200,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    balance: Annotated[
        str, typer.Option(help="What new books begin with, in USD.", metavar="AMOUNT")
    ] = "10000",
    clock: Annotated[
        str | None,
        typer.Option(
            help="New books' clock stands at this time until moved; else it is the real time.",
            metavar="TIME",
        ),
    ] = None,
    allow_http: Annotated[
        bool, typer.Option("--allow-http", help="Take external questions over http.")
    ] = False,
    refuse_repeats: Annotated[
        bool,
        typer.Option("--refuse-repeats", help="Approve, reject, expire: an error when repeated."),
    ] = False,
    access_key: Annotated[
        str | None, typer.Option(help="The only access key id that is accepted.", metavar="ID")
    ] = None,
    secret_key: Annotated[
        str, typer.Option(help="Its made-up secret: signatures are checked.", metavar="TEXT")
    ] = "",
) -> None:
    """Serve a Mechanical Turk to rehearse with: API, worker pages, clock, failures on demand.

    For rehearsals only: no work leaves this machine, no money moves, and whoever reaches the
    address can play any worker. Point boto3 at it with endpoint_url.

    Example: photochat mturk-emulator --db rehearsal.db --allow-http
    """
    from collection.mturk_emulator.books import Books
    from collection.mturk_emulator.server import serve
    from collection.mturk_emulator.signature import Key
    from collection.mturk_emulator.turn import Rules

    if secret_key and access_key is None:
        raise DataError("goes with --access-key", field="--secret-key")
    books = Books(
        db,
        balance=_cents(balance),
        stands_at=None if clock is None else _moment(clock),
        rules=Rules(allow_http=allow_http, refuse_repeats=refuse_repeats),
    )
    serve(books, host, port, None if access_key is None else Key(access_key, secret_key))


def _cents(amount: str) -> int:
    from collection.mturk_emulator.fees import to_cents
    from collection.mturk_emulator.service_model import problems, service_model

    if any(problems(service_model().shape_for("CurrencyAmount"), amount)):
        raise DataError(f"not an amount: {amount} (write 10000 or 10000.00)", field="--balance")
    return to_cents(amount)


def _moment(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as error:
        raise DataError(f"not a time: {text} (write 2026-01-31T09:00)", field="--clock") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
