"""What photochat evaluate does with a run of photochat train retrieval."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from photochat.cli.computing import DeviceName, needs_models
from photochat.cli.output import note, print_json, print_table


def evaluate_retrieval(
    folder: Path,
    data: Path,
    split: str,
    *,
    pool: Literal["split", "all"],
    images: Path | None,
    against: Path | None,
    device: DeviceName,
    resamples: int,
    seed: int,
    as_json: bool,
    score: Literal["both", "global", "refined"] | None = None,
) -> None:
    """Measure a run on a split of a release or of other data, and print what it reaches.

    Raises:
        DataError: no such split, no finished run, no pictures, or the models extra is missing.
    """
    needs_models()
    from modeling.retrieval import evaluate as measure
    from modeling.retrieval.sources import read_source
    from photochat.release import read_release

    source = read_source(str(data))
    if source is not None:
        result = measure.evaluate_source(
            source, folder, split, images=images, device=device.value, against=against,
            resamples=resamples, seed=seed, score=score,
        )  # fmt: skip
    else:
        result = measure.evaluate_retrieval(
            read_release(data), folder, split, images=images, pool=pool,
            device=device.value, against=against, resamples=resamples, seed=seed, score=score,
        )  # fmt: skip
    if as_json:
        print_json(result)
    else:
        print_table(
            ["metric", "value", "low", "high", *result.baselines],
            [
                [name, e.value, e.low, e.high, *(m[name] for m in result.baselines.values())]
                for name, e in result.metrics.items()
            ],
        )
        print()
        if result.by_identity:
            print_table(
                ["by identity", "value", "low", "high"],
                [[name, e.value, e.low, e.high] for name, e in result.by_identity.items()],
            )
            print()
        columns = ("recall@1", "recall@5", "recall@10", "recall@30", "mrr", "median_rank")
        print_table(
            ["theme", "queries", *columns],
            [
                [row.theme, row.queries, *(row.metrics[c] for c in columns)]
                for row in result.by_theme
            ],
        )
    if result.comparison:
        other = result.comparison
        difference = other.differences["sum"]
        note(
            f"sum {difference.value:+.1f} [{difference.low:+.1f}, {difference.high:+.1f}] against "
            f"{other.other}; {other.only_this} queries only this run answers at rank 1, "
            f"{other.only_other} only the other"
        )
    if result.available < result.photos:
        reasons = ", ".join(f"{count} {reason}" for reason, count in result.problems.items())
        note(
            f"{result.photos - result.available:,} photos have no picture and rank last ({reasons})"
            f"; {result.without_picture:,} queries ask for one"
        )
    if result.run.settings.text != "dialogue":
        note(
            f"{result.without_descriptors:,} queries have no descriptors and were read by their "
            "talk alone"
        )
    if result.one_photo:
        note(
            f"{result.one_photo:,} identities have one photo: mAP is there what its rank alone says"
        )
    left = ", ".join(f"{count} with {reason}" for reason, count in result.left_out.items())
    note(
        f"{result.queries:,} queries of {result.dialogues:,} dialogues over {result.photos:,} "
        f"photos"
        + (f"; left out: {left}" if left else "")
        + f"; report: {folder / 'report.html'}, {folder / 'gallery.html'}"
    )


def evaluate_rounds(
    folder: Path,
    data: Path,
    split: str,
    *,
    pool: Literal["split", "all"],
    images: Path | None,
    device: DeviceName,
    resamples: int,
    seed: int,
    as_json: bool,
    score: Literal["both", "global", "refined"] | None = None,
) -> None:
    """Measure a run after every round of a split's dialogues, and print what it reaches.

    Raises:
        DataError: no such split, no finished run, no pictures, or the models extra is missing.
    """
    needs_models()
    from modeling.retrieval.by_round import evaluate_by_round, evaluate_examples_by_round
    from modeling.retrieval.sources import read_source
    from photochat.release import read_release

    source = read_source(str(data))
    if source is not None:
        result = evaluate_examples_by_round(
            source.split(split), folder, split, images=images, device=device.value,
            resamples=resamples, seed=seed, score=score,
        )  # fmt: skip
    else:
        result = evaluate_by_round(
            read_release(data), folder, split, images=images, pool=pool, device=device.value,
            resamples=resamples, seed=seed, score=score,
        )  # fmt: skip
    if as_json:
        print_json(result)
    else:
        columns = ("recall@1", "recall@5", "recall@10", "mrr", "median_rank")
        print_table(
            ["round", "talking", *columns],
            [[r.round, r.talking, *(r.metrics[c].value for c in columns)] for r in result.rounds],
        )
        print()
        print_table(
            ["among the best", "ever, %", "mean rounds", "median", "lost again, %"],
            [[e.k, e.found, e.mean_rounds, e.median_rounds, e.lost] for e in result.early],
        )
    note(
        f"{result.queries:,} queries over {result.photos:,} photos; a talk that has ended keeps "
        f"its rank; report: {folder / 'rounds.html'}"
    )
