"""A run measured on a split: metrics with intervals, baselines, errors by position, another run.

RUN/metrics.json keeps what was measured on each split with all it takes to do it again,
RUN/predictions/SPLIT.json the probabilities, RUN/report.html is for reading.
"""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from modeling.examples import IntentExamples, intent_examples
from modeling.intent.baselines import baseline_probabilities
from modeling.intent.metrics import (
    AT_DEV,
    RESAMPLES,
    Counts,
    McNemar,
    PositionRow,
    average_precision,
    by_position,
    counts,
    intent_metrics,
    intervals,
    mcnemar,
    metrics_at,
    paired_difference,
)
from modeling.intent.predict import probabilities_of
from modeling.intent.runs import RunFile, finished
from modeling.metrics import Estimate
from modeling.runs import add_metrics
from modeling.training.settings import Device
from photochat.atomic import atomic_file
from photochat.errors import UNDECODABLE, DataError
from photochat.release import Release

_VERSIONS = ("torch", "transformers", "accelerate", "scikit-learn", "numpy")


class Comparison(msgspec.Struct, frozen=True):
    """This run against another on the same examples, both at their dev thresholds."""

    other: str
    other_f1: float
    f1_difference: Estimate
    mcnemar: McNemar


class IntentEvaluation(msgspec.Struct, frozen=True, kw_only=True):
    """What a run reaches on a split, in percent, and what it was measured on."""

    split: str
    dialogues: int
    examples: int
    shares: int
    left_out: dict[str, int]
    threshold: float
    metrics: dict[str, Estimate]
    counts: Counts
    counts_at_dev_threshold: Counts
    baselines: dict[str, dict[str, float]]
    by_position: list[PositionRow]
    comparison: Comparison | None
    data_hash: str
    run: RunFile
    versions: dict[str, str]


class Predictions(msgspec.Struct, frozen=True):
    """A run's probabilities on a split, with what identifies the examples."""

    threshold: float
    dialogue_ids: list[int]
    labels: list[int]
    probabilities: list[float]


def evaluate_intent(
    release: Release,
    folder: Path,
    split: str = "test",
    *,
    device: Device = "auto",
    against: Path | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> IntentEvaluation:
    """Measure the run in `folder` on a split; write its metrics, predictions and report.

    `against` is another run that was measured on the same split before.

    Raises:
        DataError: no such split, or no example in it; no finished run; `against` does not fit.
    """
    run, chosen = finished(folder)
    examples = intent_examples(
        release.split(split), run.settings.construction, hide_roles=run.settings.hide_roles
    )
    if not len(examples):
        raise DataError(
            f"the split {split} has no turn to predict after", file=release.files[0].path.parent
        )
    ids = [examples.talks[i].dialogue_id for i in examples.talk_of]
    other = None if against is None else _predictions(against, split)
    if other and (other.dialogue_ids, other.labels) != (ids, examples.labels.tolist()):
        raise DataError(f"was measured on another {split} split", file=against)
    probabilities = probabilities_of(folder, run.settings, examples, device)
    own = Predictions(chosen.threshold, ids, examples.labels.tolist(), probabilities.tolist())
    labels, threshold = examples.labels, chosen.threshold
    result = IntentEvaluation(
        split=split,
        dialogues=len(examples.talks),
        examples=len(examples),
        shares=int(labels.sum()),
        left_out=examples.left_out,
        threshold=threshold,
        metrics=intervals(
            labels, probabilities, examples.talk_of, threshold, resamples=resamples, seed=seed
        ),
        counts=counts(labels, probabilities),
        counts_at_dev_threshold=counts(labels, probabilities, threshold),
        baselines=_baselines(examples, chosen.after_turn, chosen.share_rate, seed),
        by_position=by_position(labels, probabilities, examples.positions, threshold),
        comparison=None
        if other is None
        else _compare(examples, probabilities >= threshold, other, str(against), resamples, seed),
        data_hash=examples.fingerprint,
        run=run,
        versions={n: importlib.metadata.version(n) for n in _VERSIONS if _is_installed(n)},
    )
    with atomic_file(folder / "predictions" / f"{split}.json") as part:
        part.write_bytes(msgspec.json.encode(own))
    add_metrics(folder, result)
    from modeling.intent.report import write_report

    write_report(folder / "report.html", result, examples, probabilities, folder)
    return result


def _baselines(
    examples: IntentExamples, turn: int, share_rate: float, seed: int
) -> dict[str, dict[str, float]]:
    found = baseline_probabilities(examples, turn=turn, share_rate=share_rate, seed=seed)
    return {
        name: metrics_at(examples.labels, said)
        | {"average_precision": average_precision(examples.labels, said)}
        for name, said in found.items()
    }


def _compare(
    examples: IntentExamples,
    said: NDArray[np.bool_],
    other: Predictions,
    name: str,
    resamples: int,
    seed: int,
) -> Comparison:
    probabilities = np.array(other.probabilities)
    other_said = probabilities >= other.threshold
    labels = examples.labels
    return Comparison(
        name,
        intent_metrics(labels, probabilities, other.threshold)[f"f1{AT_DEV}"],
        paired_difference(
            labels, other_said, said, examples.talk_of, resamples=resamples, seed=seed
        ),
        mcnemar(labels, other_said, said),
    )


def _predictions(folder: Path, split: str) -> Predictions:
    file = folder / "predictions" / f"{split}.json"
    try:
        return msgspec.json.decode(file.read_bytes(), type=Predictions)
    except OSError as error:
        raise DataError(
            f"was not measured on {split}: photochat evaluate it there first", file=folder
        ) from error
    except UNDECODABLE as error:
        raise DataError(f"is damaged ({error})", file=file) from error


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
