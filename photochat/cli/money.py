"""Commands of a campaign that are about money: estimate, pay, reconcile."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from photochat.cli.campaign import (
    DEFAULT_DB,
    Config,
    Confirm,
    DryRun,
    Endpoint,
    Production,
    ask,
    campaign,
    opened,
    say_carried,
)
from photochat.cli.output import AsJson, note, print_json, print_table
from photochat.cli.servers import Db, PossibleDb
from photochat.errors import DataError

if TYPE_CHECKING:
    from collection.money.estimate import Estimate

SHOWN_PAYMENTS = 20
EXIT_DIFFERENT = 1


@campaign.command()
def estimate(
    config: Config,
    db: PossibleDb = None,
    conversations: Annotated[
        int | None, typer.Option(help="How many; else what the database has left.", min=1)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what a campaign will cost, at worst may cost, and what an hour of it pays.

    Refused below pay.minimum_hourly, and where the worst case is above pay.budget. Times are
    measured from those who have finished, else taken from pay.minutes. No platform is asked.

    Example: photochat campaign estimate --config campaign.toml --conversations 100
    """
    from collection.campaign import load_campaign
    from collection.money import estimate as rules
    from collection.money.cents import NOTHING
    from collection.money.pay import fees_of

    loaded = load_campaign(config)
    fees = fees_of(loaded.pay, loaded.recruiting.recruiter)
    left, measured, committed = 0, rules.NOTHING_MEASURED, NOTHING
    if db is not None:
        from collection.money.progress import progress

        left, measured, committed = progress(db, loaded)
    elif conversations is None:
        raise DataError("say how many, or name the database: --db", field="--conversations")
    if not (conversations or left):
        note("all conversations have been held: nothing more will be spent on new ones")
        return
    result = rules.estimate(
        loaded, conversations or left, fees, measured=measured, committed=committed
    )
    if as_json:
        print_json(result)
    else:
        _show(result)
        dearer = rules.dearer_fee(fees, loaded)
        if dearer:
            note(f"postings of ten or more: each assignment costs {dearer:.2f} more in fees")
    rules.check(result)


def _show(result: Estimate) -> None:
    print_table(
        ["ending", "people", "at worst", "pay", "fee", "minutes", "from", "an hour"],
        [
            [
                kind.kind, kind.people, kind.people_at_worst, f"{kind.pay:.2f}",
                f"{kind.fee:.2f}", f"{kind.minutes:f}", kind.minutes_from, f"{kind.hourly:.2f}",
            ]
            for kind in result.kinds
        ],
    )  # fmt: skip
    print(
        f"{result.conversations:,} conversations, {result.workers:,} workers "
        f"(shares of endings {result.people_from}), {result.postings:,} postings of up to "
        f"{result.assignments_per_posting}"
    )
    print(
        f"expected {result.expected:.2f} {result.currency}: {result.pay:.2f} to workers "
        f"({result.waiting_pay:.2f} for waiting in vain), {result.fees:.2f} fees"
    )
    beside = f", beside {result.committed:.2f} committed" if result.committed else ""
    print(f"at worst {result.worst:.2f}{beside}; the cap is {result.budget:.2f}")


@campaign.command()
def pay(
    config: Config,
    db: Db = DEFAULT_DB,
    compensate: Annotated[
        bool,
        typer.Option("--compensate", help="Pay those without a submission by a task of their own."),
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Make calls that failed for good once more.")
    ] = False,
    production: Production = False,
    confirm: Confirm = None,
    endpoint: Endpoint = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Pay what the campaign file promises, each person once.

    Run again at any time, after a crash too. Rewards come with the approval of what was handed in;
    this pays the bonuses of those who are approved. Status 1 if something is left or has failed.

    Example: photochat campaign pay --config campaign.toml --dry-run
    """
    from collection.money.compensation import INSTEAD
    from collection.money.paying import pay as run
    from collection.recruiting.opening import address_of, stage_of
    from collection.recruiting.safety import check_confirmed

    with opened(config, db, production=production, endpoint=endpoint) as (
        loaded,
        database,
        recruiter,
    ):
        where = address_of(loaded, os.environ, production=production, endpoint=endpoint)
        if stage_of(loaded, where) == "production" and not dry_run:
            check_confirmed(loaded, confirm, ask)
        result = run(
            database,
            recruiter,
            loaded,
            compensate=compensate,
            retry_failed=retry_failed,
            dry_run=dry_run,
            say=note,
        )
    left = bool(
        result.over_budget
        or result.failed
        or result.not_told
        or result.carried.left
        or result.carried.stopped
    )
    if as_json:
        print_json(result)
        raise typer.Exit(EXIT_DIFFERENT if left else 0)
    if result.intended:
        print_table(
            ["call", "worker", "amount", "fee", "why"],
            [
                [line.kind, line.worker, f"{line.amount:.2f}", f"{line.fee:.2f}", line.why]
                for line in result.intended[: None if dry_run else SHOWN_PAYMENTS]
            ],
        )
        more = 0 if dry_run else len(result.intended) - SHOWN_PAYMENTS
        if more > 0:
            note(f"and {more:,} more (all of them: --json, or --dry-run before)")
    else:
        note("nothing new to pay")
    for line in result.over_budget:
        note(f"over the budget, not paid: {line.kind} {line.worker} {line.amount + line.fee:.2f}")
    if result.over_budget:
        note("raise pay.budget in the campaign file, and run the command again")
    for failure in result.failed:
        note(f"failed for good: {failure}")
    if result.failed:
        note("mend the cause, then add --retry-failed to make these calls once more")
    people = {name.replace("_", " "): count for name, count in result.people.items() if count}
    note("people: " + (", ".join(f"{count} {name}" for name, count in people.items()) or "none"))
    for line in result.missing:
        note(f"{line.worker} has handed nothing in and is owed {line.amount:.2f}: {line.why}")
    if result.missing and not compensate:
        note(
            INSTEAD.get(recruiter.name, "add --compensate to pay those who have handed nothing in")
        )
    for line in result.not_told:
        note(
            f"{line.worker} cannot be written to: find another way to say that {line.amount:.2f} "
            f"waits in the task {line.why}"
        )
    if result.not_compensated:
        note(f"nobody was compensated: {result.not_compensated}")
    note(f"committed: {result.committed:.2f} of {result.budget:.2f} {result.currency}")
    say_carried(result.carried)
    raise typer.Exit(EXIT_DIFFERENT if left else 0)


@campaign.command()
def reconcile(
    config: Config,
    db: Db = DEFAULT_DB,
    production: Production = False,
    endpoint: Endpoint = None,
    as_json: AsJson = False,
) -> None:
    """Compare the ledger with the platform's books, call by call; status 1 if they differ.

    Differences are listed, nothing is changed on either side.

    Example: photochat campaign reconcile --config campaign.toml
    """
    from collection.money.reconcile import reconcile as run

    with opened(config, db, production=production, endpoint=endpoint) as (
        loaded,
        database,
        recruiter,
    ):
        result = run(database, recruiter, loaded)
    if as_json:
        print_json(result)
    else:
        if result.differences:
            print_table(
                ["about", "ledger", "platform"],
                [[one.about, one.ledger, one.platform] for one in result.differences],
            )
        note(
            f"{result.postings:,} postings, {result.submissions:,} submissions, "
            f"{result.bonuses:,} bonuses: {len(result.differences):,} differences"
        )
        if result.by_itself:
            note(f"{result.by_itself:,} approved by the platform itself, undecided in time")
        note(
            f"spent: {result.ledger_spent:.2f} by the ledger, {result.platform_spent:.2f} by the "
            f"platform ({result.currency}, with fees)"
        )
    raise typer.Exit(0 if result.is_clean else EXIT_DIFFERENT)
