"""Commands that measure models on a release: evaluate."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from photochat.cli.computing import Device, DeviceName, value_of
from photochat.cli.evaluate_retrieval import evaluate_retrieval, evaluate_rounds
from photochat.cli.evaluate_stickers import evaluate_stickers
from photochat.cli.output import AsJson, Seed, note, print_json, print_table
from photochat.cli.train_retrieval import OTHER_DATA, Images
from photochat.errors import DataError

BM25 = "bm25"


class Pool(str, Enum):
    """Which photos are ranked."""

    SPLIT = "split"
    ALL = "all"


class Query(str, Enum):
    """Whose utterances before the share make the query."""

    ALL = "all"
    SHARER = "sharer"


class ScoreBy(str, Enum):
    """What a DiaNA ranks photos by."""

    GLOBAL = "global"
    REFINED = "refined"
    BOTH = "both"


def register(app: typer.Typer) -> None:
    """Add the commands of this file to the command line."""
    app.command()(evaluate)


def evaluate(
    model: Annotated[
        str,
        typer.Argument(
            help="A run folder of photochat train; or bm25: BM25 over the photos' labels.",
            metavar="RUN|bm25",
        ),
    ],
    data: Annotated[
        Path,
        typer.Option(help="A release folder or file, or other data.", metavar=OTHER_DATA),
    ],
    split: Annotated[str, typer.Option(help="The split to evaluate.")] = "test",
    pool: Annotated[
        Pool, typer.Option(help="Rank the photos of the split, or of all.")
    ] = Pool.SPLIT,
    images: Images = None,
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
    against: Annotated[
        Path | None,
        typer.Option(help="A run measured on this split before: compare.", metavar="RUN"),
    ] = None,
    by_round: Annotated[
        bool,
        typer.Option("--by-round", help="Measure a retrieval run after every turn of the talks."),
    ] = False,
    score: Annotated[
        ScoreBy | None,
        typer.Option(
            help="What a DiaNA ranks by: whole vectors, attributes, or both; else its own."
        ),
    ] = None,
    device: Device = DeviceName.AUTO,
    resamples: Annotated[int, typer.Option(help="Bootstrap resamples.", min=1)] = 1000,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Measure a model on a split of a release, in percent, with 95% bootstrap intervals.

    A run of train intent: F1, precision and recall of foretold shares, at 0.5 and at the threshold
    chosen on dev, beside baselines. A run of train retrieval: recall, MRR and median rank of each
    dialogue's photo, by theme too; ties and photos without a picture count against the model;
    RUN/gallery.html shows what was found; with --by-round, RUN/rounds.html what each turn adds.
    --data may be coco:FILE too, or chatpedes:PATH, where all photos of a person are right.
    Both: RUN/metrics.json and RUN/report.html.
    A run of train stickers: mAP, P@k and hits by intention, --data being a folder of stickers.
    bm25 retrieves by labels alone (section 6.2). --query, --persona and --fold-plurals are for
    bm25, --pool for it and retrieval, --images for retrieval, --against and --device for runs.

    Example: photochat evaluate bm25 --data release/ --split test
    """
    from photochat.release import read_release

    if score is not None and (model == BM25 or not _ranks_photos(Path(model))):
        raise DataError("finds no photos by vectors: leave --score out", file=model)
    if model != BM25:
        from modeling.runs import task_of

        if not Path(model).is_dir():
            raise DataError("is no run folder, nor bm25", file=model)
        task = task_of(Path(model))
        if task == "stickers":
            evaluate_stickers(
                data, Path(model), split, device=device, resamples=resamples, seed=seed,
                as_json=as_json,
            )  # fmt: skip
        elif by_round:
            evaluate_rounds(
                Path(model), data, split, pool=pool.value, images=images, device=device,
                resamples=resamples, seed=seed, as_json=as_json, score=value_of(score),
            )  # fmt: skip
        elif task == "retrieval":
            evaluate_retrieval(
                Path(model), data, split, pool=pool.value, images=images, against=against,
                device=device, resamples=resamples, seed=seed, as_json=as_json,
                score=value_of(score),
            )  # fmt: skip
        else:
            _evaluate_intent(Path(model), data, split, against, device, resamples, seed, as_json)
        return
    from modeling.bm25 import evaluate_bm25

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


def _ranks_photos(folder: Path) -> bool:
    from modeling.runs import task_of

    return not folder.is_dir() or task_of(folder) == "retrieval"


def _evaluate_intent(
    folder: Path,
    data: Path,
    split: str,
    against: Path | None,
    device: DeviceName,
    resamples: int,
    seed: int,
    as_json: bool,
) -> None:
    from modeling.intent.evaluate import evaluate_intent
    from photochat.release import read_release

    result = evaluate_intent(
        read_release(data),
        folder,
        split,
        device=device.value,
        against=against,
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
        print()
        columns = ("f1", "precision", "recall", "average_precision")
        print_table(
            ["baseline", *columns],
            [[name, *(m[c] for c in columns)] for name, m in result.baselines.items()],
        )
    if result.comparison:
        other = result.comparison
        note(
            f"f1@dev {other.f1_difference.value:+.1f} [{other.f1_difference.low:+.1f}, "
            f"{other.f1_difference.high:+.1f}] against {other.other} ({other.other_f1:.1f}); "
            f"McNemar p = {other.mcnemar.p_value:.2g}"
        )
    left = ", ".join(f"{count} with {reason}" for reason, count in result.left_out.items())
    note(
        f"{result.shares:,} shares in {result.examples:,} turns of {result.dialogues:,} dialogues"
        + (f"; left out: {left}" if left else "")
        + f"; report: {folder / 'report.html'}"
    )
