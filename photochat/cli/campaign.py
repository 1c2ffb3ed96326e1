"""Commands of a campaign: launch, status, extend, review, close; and what they and the commands
about money share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from photochat.cli.output import AsJson, note, print_json
from photochat.cli.servers import Db
from photochat.errors import DataError

if TYPE_CHECKING:
    from collection.campaign import Campaign
    from collection.database import Database
    from collection.money.carry_out import Carried
    from collection.recruiting.recruiter import Recruiter

Config = Annotated[Path, typer.Option(help="The campaign file.", metavar="FILE")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")]
Production = Annotated[
    bool, typer.Option("--production", help="The platform itself, with real people and money.")
]
Confirm = Annotated[
    str | None,
    typer.Option(help="With --production: the campaign's name, else it is asked for."),
]
Endpoint = Annotated[
    str | None,
    typer.Option(help="Another server that speaks the platform's protocol.", metavar="URL"),
]
DEFAULT_DB = "sqlite:///chat.db"

campaign = typer.Typer(
    help="""Recruit workers, review what they hand in, and pay them, by a campaign file.

    Every command can be run again at any time, and does what is still missing.

    Example: photochat campaign launch --config campaign.toml --dry-run""",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def register(app: typer.Typer) -> None:
    """Add the commands of a campaign to the command line."""
    from photochat.cli import campaign_review, money

    assert campaign_review and money  # they add their commands when they are imported  # noqa: PT018
    app.add_typer(campaign, name="campaign")


class Opened(NamedTuple):
    """What a command works with."""

    campaign: Campaign
    database: Database
    recruiter: Recruiter


@contextmanager
def opened(
    config: Path,
    db: str,
    *,
    production: bool = False,
    endpoint: str | None = None,
    confirm: str | None = None,
    spends: bool = False,
    dry_run: bool = False,
) -> Iterator[Opened]:
    """Open a campaign's database and recruiter; close the database at the end.

    With `spends` what workers would see is checked, and real money has to be confirmed, unless it
    is a dry run.

    Raises:
        DataError: anything is not as it must be, or the platform refuses a call.
    """
    from collection.campaign import load_campaign
    from collection.recruiting import safety
    from collection.recruiting.opening import address_of, open_recruiter, stage_of
    from collection.recruiting.recruiter import RecruiterError

    loaded = load_campaign(config)
    where = address_of(loaded, os.environ, production=production, endpoint=endpoint)
    database = _database(db)
    try:
        if spends:
            safety.check_entry(loaded)
            host = safety.missing_submit_host(loaded, where)
            if host:
                note(
                    f'recruiting.submit_hosts lacks "{host}": if workers hand in there, the chat '
                    "server turns them away; add it there and start the server again"
                )
            if stage_of(loaded, where) == "production":
                safety.check_production(loaded, _photo_ids(database, loaded))
                with database.read() as reader:
                    safety.check_pay(reader, loaded)
                if not dry_run:
                    safety.check_confirmed(loaded, confirm, ask)
        recruiter = open_recruiter(
            loaded, database, os.environ, production=production, endpoint=endpoint
        )
        try:
            yield Opened(loaded, database, recruiter)
        except RecruiterError as error:
            raise DataError(
                f"the platform says: {error}; nothing is lost, run the command again later",
                file=where or None,
            ) from error
    finally:
        database.close()


def say_carried(carried: Carried) -> None:
    """Say what became of the calls to the platform."""
    if carried.confirmed or carried.tried_again or carried.failed or carried.left:
        note(
            f"calls: {carried.confirmed} confirmed, {carried.tried_again} tried again, "
            f"{carried.failed} failed, {carried.left} left"
        )
    if carried.found:
        note(f"{carried.found} of them had been carried out before, and were not made again")
    if carried.stopped:
        note(f"stopped: {carried.stopped}; run the command again to go on")


@campaign.command()
def launch(
    config: Config,
    db: Db = DEFAULT_DB,
    pace: Annotated[
        bool, typer.Option("--pace", help="Keep no more places open than recruiting.open_at_once.")
    ] = False,
    production: Production = False,
    confirm: Confirm = None,
    endpoint: Endpoint = None,
    skip_check: Annotated[
        bool, typer.Option("--skip-check", help="Do not ask the chat server whether it is well.")
    ] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Offer as many places as the photos that are left need.

    Run again, it tops up what has become missing; what a crash has left is finished first. MTurk's
    sandbox is used unless --production asks for the platform itself.

    Example: photochat campaign launch --config campaign.toml --dry-run
    """
    from collection.recruiting.launch import launch as run
    from collection.recruiting.safety import check_server

    with opened(
        config,
        db,
        production=production,
        endpoint=endpoint,
        confirm=confirm,
        spends=True,
        dry_run=dry_run,
    ) as (loaded, database, recruiter):
        if not skip_check and loaded.recruiting.url:
            check_server(loaded.recruiting.url)
        result = run(database, recruiter, loaded, pace=pace, dry_run=dry_run, say=note)
    if as_json:
        print_json(result)
        return
    need = result.need
    note(
        f"{need.conversations_left:,} conversations left, {need.open_places:,} places open, "
        f"{need.waiting:,} waiting: {result.places:,} places "
        + ("would be offered" if dry_run else "offered")
    )
    for one in result.postings:
        cost = one.amount + one.fee + one.promised
        note(f"  {one.key}: {one.assignments} assignments at {one.reward:.2f}, {cost:.2f} reserved")
    if result.done_workers:
        note(f"  {result.done_workers} workers have taken part as often as they may")
    note(f"committed: {result.committed:.2f} of {result.budget:.2f} {result.currency}")
    say_carried(result.carried)


@campaign.command()
def extend(
    config: Config,
    db: Db = DEFAULT_DB,
    hours: Annotated[
        int, typer.Option(help="Keep postings open for so long from now.", min=0, max=8760)
    ] = 0,
    open_places: Annotated[
        int, typer.Option("--open-places", help="So many places shall be free in all.", min=0)
    ] = 0,
    posting: Annotated[
        str | None, typer.Option(help="Only this one, by the platform's id.", metavar="ID")
    ] = None,
    production: Production = False,
    confirm: Confirm = None,
    endpoint: Endpoint = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Keep postings open longer, and add places to those that have room.

    Ask for what shall be: twice the same changes nothing. What is closed is opened by --hours only.

    Example: photochat campaign extend --config campaign.toml --hours 48 --open-places 20
    """
    from collection.recruiting.extend import extend as run

    if not hours and not open_places:
        raise DataError("say what shall be: --hours 48, --open-places 20 or both", field="extend")
    with opened(
        config,
        db,
        production=production,
        endpoint=endpoint,
        confirm=confirm,
        spends=True,
        dry_run=dry_run,
    ) as (loaded, database, recruiter):
        result = run(
            database,
            recruiter,
            loaded,
            hours=hours,
            open_places=open_places,
            only=posting,
            dry_run=dry_run,
            say=note,
        )
    if as_json:
        print_json(result)
        return
    would = "would get" if dry_run else "gets"
    for one in result.extensions:
        note(
            f"{one.posting} {would} {one.assignments} more assignments ({one.cost:.2f} reserved) "
            f"and {one.seconds // 3600} hours from now"
        )
    if not result.extensions:
        note("nothing to extend")
    if result.short:
        note(f"{result.short} places have no room in these postings: photochat campaign launch")
    say_carried(result.carried)


class Qualification(str, Enum):
    """What can be given by hand."""

    trained = "trained"
    not_again = "not-again"


@campaign.command()
def qualify(
    qualification: Annotated[
        Qualification, typer.Argument(help="trained, or not-again (no further invitation).")
    ],
    workers: Annotated[list[str], typer.Argument(help="Worker ids.", metavar="WORKER...")],
    config: Config,
    db: Db = DEFAULT_DB,
    take_away: Annotated[
        bool, typer.Option("--take-away", help="Take it away instead of giving it.")
    ] = False,
    production: Production = False,
    endpoint: Endpoint = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Name workers as trained, or as not to be invited again.

    With recruiting.trained only trained workers see the task. "not-again" hides it without a block,
    which would count against a worker's account.

    Example: photochat campaign qualify not-again A1EXAMPLE --config campaign.toml
    """
    import time

    from collection.money.carry_out import Carried, carry_out
    from collection.recruiting.qualifications import intend

    value = None if take_away else 1
    with opened(config, db, production=production, endpoint=endpoint) as (
        loaded,
        database,
        recruiter,
    ):
        with (
            database.writing.connect() as connection,
            connection.begin() as transaction,
        ):
            new = [
                worker
                for worker in dict.fromkeys(workers)
                if intend(connection, loaded, qualification.value, worker, value, time.time())
            ]
            if dry_run:
                transaction.rollback()
        carried = Carried() if dry_run else carry_out(database, recruiter, loaded, say=note)
    if as_json:
        print_json({"dry_run": dry_run, "changed": new, "carried": carried})
        return
    doing = "would change" if dry_run else "changed"
    note(f"{qualification.value}: {len(new)} of {len(set(workers))} workers {doing}")
    say_carried(carried)


def _database(db: str) -> Database:
    from collection.database import Database

    database = Database(db)
    file = database.url.database
    if database.is_sqlite and file and not Path(file).is_file():
        raise DataError(
            "no such database: name that of photochat serve, which makes it when it starts",
            file=file,
            field="--db",
        )
    database.migrate()
    return database


def _photo_ids(database: Database, loaded: Campaign) -> list[str]:
    import sqlalchemy as sa

    from collection.tables import photos

    query = sa.select(photos.c.photo_id).where(photos.c.campaign == loaded.name)
    with database.read() as reader:
        return list(reader.execute(query).scalars())


def ask(question: str) -> str:
    """Ask somebody at the terminal; no answer is an empty one."""
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline()
