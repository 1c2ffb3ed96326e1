"""Commands of a campaign about what was handed in and how it ends: status, review, close,
payments."""

from __future__ import annotations

import datetime
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photochat.cli.campaign import (
    DEFAULT_DB,
    Config,
    DryRun,
    Endpoint,
    Production,
    campaign,
    opened,
    say_carried,
)
from photochat.cli.output import AsJson, note, print_json, print_table
from photochat.cli.servers import Db
from photochat.errors import DataError

if TYPE_CHECKING:
    from collection.recruiting.review import Decision, Entry


@campaign.command()
def status(
    config: Config,
    db: Db = DEFAULT_DB,
    production: Production = False,
    endpoint: Endpoint = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="As the platform was seen last, without asking it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show where a campaign stands: conversations, postings, submissions, deadlines, money.

    Example: photochat campaign status --config campaign.toml --json
    """
    from collection.recruiting.status import status_of
    from collection.recruiting.synchronise import synchronise

    with opened(config, db, production=production, endpoint=endpoint) as (
        loaded,
        database,
        recruiter,
    ):
        balance = None
        if not offline:
            synchronise(database, recruiter, loaded)
            balance = recruiter.balance()
        with database.read() as reader:
            found = status_of(reader, loaded, balance=balance)
    if as_json:
        print_json(found)
        return
    print(
        f"{found.campaign} ({found.recruiter}): {found.completed:,} of {found.wanted:,} "
        f"conversations, {found.need.open_places:,} places open, {found.need.waiting:,} waiting"
    )
    money = f"{found.spent:.2f} spent, {found.committed:.2f} committed of {found.budget:.2f}"
    held = "" if found.balance is None else f"; the account holds {found.balance:.2f}"
    print(f"{money} {found.currency}{held}")
    if found.endings:
        print("ended, paid: " + _counted(found.endings))
    if found.postings:
        print_table(
            ("posting", "open", "assignments", "free", "at work", "until"),
            [
                (
                    one.posting,
                    "yes" if one.open else "no",
                    one.assignments,
                    one.available,
                    one.pending,
                    _time(one.expires_at),
                )
                for one in found.postings
            ],
        )
    print(f"submissions: {_counted(found.submissions) or 'none'}; {found.to_decide} to decide")
    if found.next_deadline is not None:
        print(
            f"  the platform approves the next by itself at {_time(found.next_deadline)}; "
            f"{found.within_a_day} within a day"
        )
    if found.odd:
        print(f"  odd: {_counted(found.odd)}")
    if found.calls:
        print(f"ledger: {_counted(found.calls)}")
    for line in found.failed:
        print(f"  failed: {line}")


@campaign.command()
def review(
    config: Config,
    db: Db = DEFAULT_DB,
    approve: Annotated[
        list[str] | None, typer.Option(help="Approve a submission.", metavar="ID")
    ] = None,
    reject: Annotated[
        list[str] | None, typer.Option(help="Reject one; needs --reason.", metavar="ID")
    ] = None,
    override: Annotated[
        list[str] | None, typer.Option(help="Turn a rejection back.", metavar="ID")
    ] = None,
    reason: Annotated[str, typer.Option(help="What the worker reads, and can act on.")] = "",
    approve_automatically: Annotated[
        bool,
        typer.Option("--approve-automatically", help="Approve the endings that [review] names."),
    ] = False,
    export: Annotated[
        Path | None, typer.Option(help="Write all submissions as CSV.", metavar="FILE")
    ] = None,
    decide: Annotated[
        Path | None, typer.Option(help="Read decisions from such a CSV.", metavar="FILE")
    ] = None,
    production: Production = False,
    endpoint: Endpoint = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """List what waits for a decision, or decide. Nobody is rejected automatically.

    Without a decision it lists, earliest deadline first.

    Example: photochat campaign review --config campaign.toml --approve-automatically
    """
    from collection.money.carry_out import Carried, carry_out
    from collection.recruiting import review as rules
    from collection.recruiting.review_csv import read_decisions, write_review
    from collection.recruiting.synchronise import synchronise

    decisions = _asked(approve, reject, override, reason)
    decisions += read_decisions(decide) if decide else []
    with opened(config, db, production=production, endpoint=endpoint) as (
        loaded,
        database,
        recruiter,
    ):
        synchronise(database, recruiter, loaded)
        with (
            database.writing.connect() as connection,
            connection.begin() as transaction,
        ):
            if approve_automatically:
                decided = {one.submission for one in decisions}  # by people, who go first
                found = rules.entries(connection, loaded)
                left = [entry for entry in found if entry.submission not in decided]
                decisions += rules.approvable(left, loaded)
            new = rules.decide(connection, loaded, recruiter.name, decisions)
            if dry_run:
                transaction.rollback()
        carried = Carried()
        if not dry_run:
            carried = carry_out(database, recruiter, loaded, say=note)
            synchronise(database, recruiter, loaded)
        with database.read() as reader:
            found = rules.entries(reader, loaded)
    if export is not None:
        write_review(export, found)
    undecided = [entry for entry in found if entry.is_open]
    if as_json:
        print_json(
            {
                "dry_run": dry_run,
                "new_decisions": new,
                "decisions": decisions,
                "to_decide": undecided,
                "carried": carried,
            }
        )
        return
    if undecided:
        print_table(*_table(undecided))
    doing = "would be made" if dry_run else "made"
    note(f"{len(found):,} handed in, {len(undecided):,} to decide, {new:,} decisions {doing}")
    for entry in found:
        if entry.decided == "failed-final":
            note(f"  {entry.decision} of {entry.submission} failed: {entry.problem}: decide anew")
    if export is not None:
        note(f"{export}: fill in the columns decision and reason, then --decide {export}")
    say_carried(carried)


@campaign.command()
def close(
    config: Config,
    db: Db = DEFAULT_DB,
    production: Production = False,
    endpoint: Endpoint = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Let nobody accept a posting any more, and list what is left to decide and to pay.

    Who has accepted may finish; nothing is approved or paid by closing.

    Example: photochat campaign close --config campaign.toml
    """
    from collection.recruiting.close import close as run

    with opened(config, db, production=production, endpoint=endpoint) as (
        loaded,
        database,
        recruiter,
    ):
        result = run(database, recruiter, loaded, dry_run=dry_run, say=note)
    if as_json:
        print_json(result)
        return
    note(f"{len(result.expired)} postings {'would be ' if dry_run else ''}closed")
    note(f"{result.at_work} people may still finish: run this again when they have")
    if result.to_decide:
        print_table(*_table(result.to_decide))
        note(f"{len(result.to_decide)} to decide: photochat campaign review --config {config}")
    if result.failed_calls:
        note(f"{result.failed_calls} calls have failed: photochat campaign status shows them")
    note(f"then photochat campaign pay --config {config}, and reconcile")
    say_carried(result.carried)


@campaign.command()
def payments(
    config: Config,
    db: Db = DEFAULT_DB,
    export: Annotated[
        Path | None, typer.Option(help="Write who is owed what as CSV.", metavar="FILE")
    ] = None,
    read: Annotated[
        Path | None,
        typer.Option("--import", help="Read payments made from such a CSV.", metavar="FILE"),
    ] = None,
    unpaid: Annotated[
        bool, typer.Option("--unpaid", help="With --export: leave out what is paid.")
    ] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Of a campaign by links: who is owed what, and what has been paid by hand.

    Fill in paid_at (2026-01-31) and reference, and read the file back; a second time changes
    nothing.

    Example: photochat campaign payments --config campaign.toml --export owed.csv
    """
    from collection.recruiting.link_payments import dues, note_payments, write_dues

    with opened(config, db) as (loaded, database, recruiter):
        if recruiter.name != "link":
            raise DataError(
                f"are for campaigns by links; {recruiter.name} pays by photochat campaign pay",
                field="payments",
            )
        noted = note_payments(database, loaded, read, dry_run=dry_run) if read else None
        found = dues(database, loaded)
        if export is not None:
            kept = [due for due in found if not unpaid or due.paid_at is None]
            write_dues(export, kept, loaded)
    if as_json:
        print_json({"noted": noted, "dues": found})
        return
    if noted is not None:
        note(
            f"{noted.paid} payments noted, {noted.known} known before, {noted.unpaid} lines without"
        )
    left = [due for due in found if due.paid_at is None]
    amount = sum((due.amount for due in left), start=type(loaded.pay.budget)(0))
    note(f"{len(found)} amounts, {len(left)} unpaid: {amount:.2f} {loaded.pay.currency}")
    if export is not None:
        note(f"{export}: fill in the columns paid_at and reference, then --import {export}")


def _asked(
    approve: list[str] | None, reject: list[str] | None, override: list[str] | None, reason: str
) -> list[Decision]:
    from collection.recruiting.review import Decision

    return [
        *(Decision(one, "approve", reason) for one in approve or ()),
        *(Decision(one, "reject", reason) for one in reject or ()),
        *(Decision(one, "override", reason) for one in override or ()),
    ]


def _table(found: list[Entry] | tuple[Entry, ...]) -> tuple[tuple[str, ...], list[list[object]]]:
    from collection.recruiting.matching import FINDINGS

    rows: list[list[object]] = [
        [
            entry.submission,
            entry.worker,
            entry.kind or entry.reason or "?",
            _left(entry.deadline),
            FINDINGS[entry.finding] if entry.finding else "",
        ]
        for entry in found
    ]
    return ("submission", "worker", "ended", "left to decide", "odd"), rows


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in sorted(counts.items()))


def _time(at: float | None) -> str:
    if at is None:
        return "-"
    when = datetime.datetime.fromtimestamp(at, datetime.timezone.utc)
    return when.strftime("%Y-%m-%d %H:%M UTC")


def _left(deadline: float | None) -> str:
    """How long until the platform decides by itself."""
    if deadline is None:
        return "-"
    hours = (deadline - time.time()) / 3600
    if hours < 0:
        return "over"
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} days"
