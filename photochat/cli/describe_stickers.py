"""The command that asks a multimodal model what stickers show: stickers describe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from photochat.cli.computing import DeviceName
from photochat.cli.language_model import (
    Access,
    Budget,
    Cache,
    Concurrency,
    DryRun,
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
from photochat.cli.stickers import Intentions, StickerFolder, known_intentions
from photochat.errors import DataError


def describe(
    folder: StickerFolder,
    llm: Annotated[
        str,
        typer.Option(
            "--llm",
            help="An OpenAI-compatible endpoint that takes pictures, its key in PHOTOCHAT_LLM_KEY.",
            metavar="URL",
        ),
    ],
    llm_model: LlmModel = None,
    out: Annotated[
        Path | None,
        typer.Option(help="File to write; by default DIR/descriptions.jsonl.", metavar="FILE"),
    ] = None,
    intentions: Intentions = None,
    cache: Cache = None,
    seed: Seed = 0,
    temperature: Temperature = 0.0,
    max_tokens: MaxTokens = 200,
    concurrency: Concurrency = 8,
    timeout: Timeout = 120.0,
    retries: Retries = 6,
    price_in: PriceIn = 0.0,
    price_out: PriceOut = 0.0,
    budget: Budget = None,
    dry_run: DryRun = False,
) -> int:
    """Have a multimodal model describe each sticker: gesture, posture, facial expression, verbal.

    For photochat train stickers. Interrupted and started again, it asks only what is missing.

    Exit status: 0 all described, 1 something is left to do, 2 the model cannot be asked.

    Example: photochat stickers describe stickerint/ --llm http://localhost:8000 --llm-model qwen-vl
    """
    from modeling.stickers.describe import STAND_IN, describe_stickers, save_descriptions
    from modeling.stickers.examples import DESCRIPTIONS
    from photochat.language_model.question import Sampling
    from photochat.stickers import read_stickers

    if not llm.startswith(("http://", "https://")):
        raise DataError("is no http(s) address: local models see no pictures", field="--llm")
    data = read_stickers(folder, intentions=known_intentions(intentions))
    target = out or folder / DESCRIPTIONS
    access = Access(
        llm, llm_model, target, cache, concurrency, timeout, retries, price_in, price_out, budget,
        DeviceName.CPU,
    )  # fmt: skip
    sampling = Sampling(temperature, max_tokens=max_tokens, seed=seed)
    with opened(access, (STAND_IN,) if dry_run else ()) as client:
        with progress_bar("describing") as progress:
            described, undone = describe_stickers(
                client, data.stickers, sampling=sampling, progress=progress
            )
        if dry_run:
            say_estimate(client)
            return 0
        save_descriptions(target, described)
        say_spent(client)
    say_undone([f"sticker {one.sticker_id}: {one.reason}" for one in undone], "stickers are")
    note(f"{len(described):,} stickers described in {target}")
    return 1 if undone else 0
