"""Commands that measure models on a release: evaluate."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from photochat.cli.output import AsJson, Seed, note, print_json, print_table


class Model(str, Enum):
    """What is measured."""

    BM25 = "bm25"


class Pool(str, Enum):
    """Which photos are ranked."""

    SPLIT = "split"
    ALL = "all"


class Query(str, Enum):
    """Whose utterances before the share make the query."""

    ALL = "all"
    SHARER = "sharer"


def register(app: typer.Typer) -> None:
    """Add the commands of this file to the command line."""
    app.command()(evaluate)


def evaluate(
    model: Annotated[Model, typer.Argument(help="bm25: BM25 over the photos' object labels.")],
    data: Annotated[Path, typer.Option(help="A release folder, or a file.", metavar="DIR")],
    split: Annotated[str, typer.Option(help="The split to evaluate.")] = "test",
    pool: Annotated[
        Pool, typer.Option(help="Rank the photos of the split, or of all.")
    ] = Pool.SPLIT,
    query: Annotated[
        Query, typer.Option(help="Query with all utterances before the share, or the sharer's.")
    ] = Query.ALL,
    persona: Annotated[
        bool,
        typer.Option("--persona", help="Let the persona's name into the photo's text (a leak)."),
    ] = False,
    fold_plurals: Annotated[
        bool, typer.Option("--fold-plurals", help="Let 'dogs' match 'Dog'.")
    ] = False,
    resamples: Annotated[int, typer.Option(help="Bootstrap resamples.", min=1)] = 1000,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Measure a model on a split of a release.

    bm25 retrieves each dialogue's photo (section 6.2): recall in percent, with 95% bootstrap
    intervals; ties count against the model.

    Example: photochat evaluate bm25 --data release/ --split test
    """
    from modeling.bm25 import evaluate_bm25
    from photochat.release import read_release

    assert model is Model.BM25
    result = evaluate_bm25(
        read_release(data),
        split,
        pool=pool.value,
        query=query.value,
        persona=persona,
        fold_plurals=fold_plurals,
        resamples=resamples,
        seed=seed,
    )
    if as_json:
        print_json(result)
    else:
        print_table(
            ["metric", "value", "low", "high"],
            [[name, e.value, e.low, e.high] for name, e in result.metrics.items()],
        )
    left = ", ".join(f"{count} with {reason}" for reason, count in result.left_out.items())
    note(
        f"{result.queries:,} of {result.dialogues:,} dialogues over {result.photos:,} photos"
        + (f"; left out: {left}" if left else "")
    )
