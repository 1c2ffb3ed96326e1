"""The command that has a language model make dialogues: make-dialogues."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photochat.cli.computing import Device, DeviceName
from photochat.cli.language_model import (
    Access,
    Budget,
    Cache,
    Concurrency,
    DryRun,
    Llm,
    LlmModel,
    MaxTokens,
    PriceIn,
    PriceOut,
    Retries,
    Temperature,
    Timeout,
    opened,
    say_estimate,
    say_spent,
    say_undone,
)
from photochat.cli.output import Seed, note, print_table
from photochat.cli.progress import progress_bar
from photochat.errors import DataError

if TYPE_CHECKING:
    from verification.finding import Checked


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("make-dialogues")(make_dialogues)


def make_dialogues(
    photos: Annotated[
        Path,
        typer.Argument(
            help="pool.parquet, or photos as JSON lines (photo_id or url; labels or attributes).",
            metavar="PHOTOS",
        ),
    ],
    llm: Llm,
    out: Annotated[
        Path,
        typer.Option(help="Dialogues to write (.jsonl, .json, .parquet).", metavar="FILE"),
    ],
    llm_model: LlmModel = None,
    prompts: Annotated[
        Path | None,
        typer.Option(
            help="Prompts that take the place of ours: opening.txt, question.txt, answer.txt, "
            "reaction.txt.",
            metavar="DIR",
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(help="Draw so many photos; by default all.", min=1)
    ] = None,
    per_photo: Annotated[int, typer.Option(help="Dialogues about each photo.", min=1)] = 1,
    min_rounds: Annotated[
        int, typer.Option(help="Fewest questions before the photo is shared.", min=2, max=50)
    ] = 2,
    max_rounds: Annotated[
        int, typer.Option(help="Most questions before the photo is shared.", min=2, max=50)
    ] = 6,
    findings: Annotated[
        Path | None,
        typer.Option(help="What the checks find in them; by default beside --out.", metavar="FILE"),
    ] = None,
    run_checks: Annotated[
        bool, typer.Option("--check/--no-check", help="Run the checks on what was made.")
    ] = True,
    cache: Cache = None,
    seed: Seed = 0,
    temperature: Temperature = 0.8,
    max_tokens: MaxTokens = 120,
    concurrency: Concurrency = 8,
    timeout: Timeout = 120.0,
    retries: Retries = 6,
    price_in: PriceIn = 0.0,
    price_out: PriceOut = 0.0,
    budget: Budget = None,
    dry_run: DryRun = False,
    device: Device = DeviceName.AUTO,
) -> int:
    """Have a language model make dialogues about photos, in the way of ChatPedes.

    One side knows what the photo shows, the other asks, round after round, until it is shared.
    Every dialogue is marked as synthetic, in every format, and photochat split leaves it out
    unless it is asked for. The checks run on the result.

    Exit status: 0 all made, 1 something is left to do, 2 the model cannot be asked.

    Example: photochat make-dialogues pool.parquet --llm smollm2 --limit 20 --out made.jsonl
    """
    from collection.synthetic.make import STAND_IN
    from collection.synthetic.make import make_dialogues as run
    from collection.synthetic.photos import chosen, read_photos
    from collection.synthetic.prompts import read_prompts
    from photochat.language_model.question import Sampling
    from photochat.records import SUFFIXES, write_records

    if out.suffix not in SUFFIXES:
        raise DataError(f"has no known suffix ({', '.join(SUFFIXES)})", file=out)
    if max_rounds < min_rounds:
        raise DataError("is less than --min-rounds", field="--max-rounds")
    access = Access(
        llm, llm_model, out, cache, concurrency, timeout, retries, price_in, price_out, budget,
        device,
    )  # fmt: skip
    wanted = chosen(read_photos(photos), limit, seed)
    texts = read_prompts(prompts)
    sampling = Sampling(temperature, top_p=0.95, max_tokens=max_tokens, seed=seed)
    with opened(access, (STAND_IN,) if dry_run else ()) as client:
        with progress_bar("making") as progress:
            result = run(
                client,
                wanted,
                texts,
                per_photo=per_photo,
                rounds=(min_rounds, max_rounds),
                sampling=sampling,
                progress=progress,
            )
        if dry_run:
            say_estimate(client)
            return 0
        if result.dialogues:
            write_records(out, result.dialogues)
        say_spent(client)
    say_undone(
        [f"dialogue {one.dialogue_id} ({one.photo}): {one.reason}" for one in result.undone],
        "dialogues are",
    )
    if not result.dialogues:
        note("nothing was made, and nothing written")
        return 1
    note(f"{len(result.dialogues):,} dialogues made, marked as synthetic, in {out}")
    if run_checks:
        _check(out, findings or out.with_name(f"{out.stem}.findings.jsonl"))
    return 1 if result.undone else 0


def _check(dialogues: Path, findings: Path) -> None:
    """Run the checks that need no model, and print what they found."""
    from verification.check import check
    from verification.report import rates

    checked: list[Checked] = check(dialogues, findings).checked
    print_table(
        ["check", "reject", "review", "note", "% review or worse"],
        [[row.check, row.reject, row.review, row.note, row.percent] for row in rates(checked)],
    )
    note(f"checked without models (photochat check has more); findings in {findings}")
