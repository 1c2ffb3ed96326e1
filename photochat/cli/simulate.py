"""The command that rehearses a campaign with bots, and proves that nothing was lost."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from photochat.cli.output import AsJson, Seed, note, print_json
from photochat.errors import DataError

SHOWN_FINDINGS = 20


def register(app: typer.Typer) -> None:
    """Add the commands of this file to the command line."""
    app.command()(simulate)


def simulate(
    raw: Annotated[
        Path | None, typer.Argument(help="With --compare: the export.", metavar="[RAW.jsonl]")
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Where the server is reached.", metavar="URL")
    ] = None,
    pairs: Annotated[int, typer.Option(help="Twice as many bots take part.", min=1)] = 10,
    rate: Annotated[
        float, typer.Option(help="Messages a second that one bot writes.", min=0.001, max=100)
    ] = 0.2,
    seed: Seed = 0,
    log: Annotated[
        Path | None, typer.Option(help="Where the bots write down what happens.", metavar="FILE")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="The server's campaign file.", metavar="FILE")
    ] = None,
    troubled: Annotated[
        float, typer.Option(help="Share that pauses, drops, reloads, opens tabs.", min=0, max=1)
    ] = 0.4,
    spoiling: Annotated[
        float, typer.Option(help="Share that stays silent or leaves.", min=0, max=1)
    ] = 0.05,
    rude: Annotated[
        float, typer.Option(help="Share that swears or gives its address away.", min=0, max=1)
    ] = 0.0,
    patience: Annotated[
        float, typer.Option(help="Seconds to try to reach a server that is down.", min=0)
    ] = 120.0,
    max_wait: Annotated[
        float, typer.Option(help="Seconds that a bot stays in the waiting room.", min=0)
    ] = 120.0,
    mturk: Annotated[
        str | None,
        typer.Option(help="An MTurk emulator: bots come by its HITs.", metavar="URL"),
    ] = None,
    odd: Annotated[
        float,
        typer.Option(
            help="Share that returns a HIT after the work, submits twice, nothing, another's code.",
            min=0,
            max=1,
        ),
    ] = 0.0,
    compensation: Annotated[
        bool,
        typer.Option(
            "--compensation", help="With --mturk: the bots only take what they are owed by HITs."
        ),
    ] = False,
    compare: Annotated[
        Path | None,
        typer.Option(help="Compare what a rehearsal wrote with RAW.jsonl.", metavar="FILE"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Rehearse a campaign with bots over real sockets, or compare their log with the export.

    The comparison ends with status 1 if anything acknowledged is missing, doubled, changed or out
    of order.

    Example: photochat simulate --url http://127.0.0.1:8000 --pairs 50 --log bots.jsonl
    """
    if compare is not None:
        _compare(compare, raw, as_json)
    if compensation:
        _collect(mturk, pairs, seed, patience)
    if url is None:
        raise DataError("name the server: --url http://127.0.0.1:8000", field="--url")
    from collection.campaign import Campaign, load_campaign
    from collection.simulate.habits import Shares
    from collection.simulate.run import simulate as run

    if troubled + spoiling + rude > 1:
        raise DataError("add up to more than 1", field="--troubled, --spoiling and --rude")
    result = run(
        url,
        load_campaign(config) if config else Campaign(),
        pairs=pairs,
        rate=rate,
        seed=seed,
        log=log,
        shares=Shares(troubled, spoiling, rude),
        secret=os.environ.get("PHOTOCHAT_SECRET") or None,
        patience=patience,
        max_wait=max_wait,
        mturk=mturk,
        odd=odd,
    )
    if as_json:
        print_json(result)
        return
    outcomes = ", ".join(f"{count:,} {outcome}" for outcome, count in result.outcomes.items())
    note(
        f"{result.workers:,} bots in {result.seconds:.0f} s: {outcomes}; {result.sent:,} sent, "
        f"{result.acknowledged:,} acknowledged, {result.refused:,} refused"
    )


def _collect(mturk: str | None, pairs: int, seed: int, patience: float) -> None:
    """Take what is owed, say how much it was, and exit."""
    from collection.simulate.run import collect_compensation

    if mturk is None:
        raise DataError("name the emulator: --mturk http://127.0.0.1:8200", field="--compensation")
    done = collect_compensation(mturk, pairs=pairs, seed=seed, patience=patience)
    note(f"{done:,} compensation HITs done")
    raise typer.Exit


def _compare(log: Path, raw: Path | None, as_json: bool) -> None:
    """Compare, print and exit."""
    from collection.simulate.compare import compare, read_export
    from collection.simulate.diary import read_diary

    if raw is None:
        raise DataError("name the export as well: --compare FILE RAW.jsonl", field="RAW.jsonl")
    result = compare(read_diary(log), read_export(raw))
    if as_json:
        print_json(result)
    else:
        note(
            f"{result.acknowledged:,} acknowledged and {result.heard:,} heard in "
            f"{result.conversations:,} conversations: {result.lost:,} lost, "
            f"{result.doubled:,} doubled, {result.reordered:,} reordered, "
            f"{result.changed:,} changed"
        )
        for finding in result.findings[:SHOWN_FINDINGS]:
            note(
                f"  {finding.fault}: conversation {finding.conversation}, {finding.where}: "
                f"{finding.what}"
            )
    raise typer.Exit(0 if result.is_clean else 1)
