"""The command that asks a language model what photos may show: describe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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
from photochat.cli.output import Seed, note
from photochat.cli.progress import progress_bar


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(describe)


def describe(
    data: Annotated[
        Path, typer.Option(help="A release folder, or a file of dialogues.", metavar="DIR")
    ],
    llm: Llm,
    out: Annotated[Path, typer.Option(help="Descriptors to write, JSON lines.", metavar="FILE")],
    split: Annotated[str | None, typer.Option(help="One split; by default all.")] = None,
    llm_model: LlmModel = None,
    prompt: Annotated[
        Path | None,
        typer.Option(help="A text that takes the place of the instruction.", metavar="FILE"),
    ] = None,
    cache: Cache = None,
    seed: Seed = 0,
    temperature: Temperature = 0.0,
    max_tokens: MaxTokens = 400,
    concurrency: Concurrency = 8,
    timeout: Timeout = 120.0,
    retries: Retries = 6,
    price_in: PriceIn = 0.0,
    price_out: PriceOut = 0.0,
    budget: Budget = None,
    dry_run: DryRun = False,
    device: Device = DeviceName.AUTO,
) -> int:
    """Have a language model say what each photo may show, from the talk before it is shared.

    Five descriptors a dialogue, for photo retrieval by models of text and pictures. Interrupted,
    and started again, it asks only for what it has no answer to yet.

    Exit status: 0 all described, 1 something is left to do, 2 the model cannot be asked.

    Example: photochat describe --data release/ --llm smollm2 --out descriptors.jsonl
    """
    from modeling.descriptors.describe import STAND_IN, read_prompt, save
    from modeling.descriptors.describe import describe as run
    from photochat.language_model.question import Sampling
    from photochat.release import read_release

    access = Access(
        llm, llm_model, out, cache, concurrency, timeout, retries, price_in, price_out, budget,
        device,
    )  # fmt: skip
    release = read_release(data)
    instruction = read_prompt(prompt)
    sampling = Sampling(temperature, max_tokens=max_tokens, seed=seed)
    with opened(access, (STAND_IN,) if dry_run else ()) as client:
        with progress_bar("describing") as progress:
            result = run(
                client,
                release,
                split=split,
                prompt=instruction,
                sampling=sampling,
                progress=progress,
            )
        for reason, count in result.left_out.items():
            note(f"left out {count:,}: {reason}")
        if dry_run:
            say_estimate(client)
            return 0
        save(out, result)
        say_spent(client)
    say_undone(
        [f"{one.split} id {one.dialogue_id}: {one.reason}" for one in result.undone],
        "dialogues are",
    )
    note(f"{len(result.described):,} dialogues described in {out}")
    return 1 if result.undone else 0
