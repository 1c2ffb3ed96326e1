"""How well shares are foretold: metrics on probabilities, their intervals, tests between two runs.

Probabilities and labels have shape (examples,); a share is foretold where the probability reaches
the threshold. Metrics are percentages.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from modeling.metrics import Estimate

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

THRESHOLD = 0.5
RESAMPLES = 1000
AT_DEV = "@dev"  # marks metrics at the threshold that is best on dev


class Counts(msgspec.Struct, frozen=True):
    """Right and wrong answers at a threshold."""

    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int


def counts(labels: Ints, probabilities: Floats, threshold: float = THRESHOLD) -> Counts:
    """Count answers at a threshold."""
    said = probabilities >= threshold
    return Counts(
        int((said & (labels == 1)).sum()),
        int((said & (labels == 0)).sum()),
        int((~said & (labels == 1)).sum()),
        int((~said & (labels == 0)).sum()),
    )


def f1(tp: float, fp: float, fn: float) -> float:
    """Return F1 in percent; 0 where nothing is to be found or nothing was found."""
    return 100 * 2 * tp / (2 * tp + fp + fn) if tp else 0.0


def metrics_at(
    labels: Ints, probabilities: Floats, threshold: float = THRESHOLD
) -> dict[str, float]:
    """Return F1, precision and recall of shares (the paper's), macro-F1 and accuracy.

    Macro-F1 averages the F1 of both answers: others report it, and it is much higher.
    """
    n = counts(labels, probabilities, threshold)
    tp, fp, fn, tn = n.true_positives, n.false_positives, n.false_negatives, n.true_negatives
    share = f1(tp, fp, fn)
    return {
        "f1": share,
        "precision": 100 * tp / (tp + fp) if tp else 0.0,
        "recall": 100 * tp / (tp + fn) if tp else 0.0,
        "macro_f1": (share + f1(tn, fn, fp)) / 2,
        "accuracy": 100 * (tp + tn) / max(len(labels), 1),
    }


def average_precision(labels: Ints, probabilities: Floats, weights: Floats | None = None) -> float:
    """Return average precision in percent: the mean precision over recall steps.

    Examples of equal probability are found together. `weights` count each example so many times.
    """
    order = np.argsort(-probabilities, kind="stable")
    weight = np.ones(len(labels)) if weights is None else weights[order]
    hits = np.cumsum(weight * labels[order])
    if not len(hits) or hits[-1] == 0:
        return 0.0
    found = np.cumsum(weight)
    ends = np.flatnonzero(np.append(np.diff(probabilities[order]) != 0, True))
    precision = hits[ends] / np.maximum(found[ends], 1e-12)
    return float(100 * np.sum(np.diff(hits[ends], prepend=0.0) * precision) / hits[-1])


def best_threshold(labels: Ints, probabilities: Floats) -> float:
    """Return the threshold with the best F1: a probability of the examples, the highest of equals.

    Without a positive example it is 0.5.
    """
    order = np.argsort(-probabilities, kind="stable")
    hits = np.cumsum(labels[order])
    if not len(hits) or hits[-1] == 0:
        return THRESHOLD
    ends = np.flatnonzero(np.append(np.diff(probabilities[order]) != 0, True))
    scores = 2 * hits[ends] / (ends + 1 + hits[-1])
    return float(probabilities[order][ends[int(np.argmax(scores))]])


def intent_metrics(
    labels: Ints, probabilities: Floats, dev_threshold: float | None = None
) -> dict[str, float]:
    """Return all metrics at 0.5, at the threshold chosen on dev if given, and average precision."""
    metrics = metrics_at(labels, probabilities)
    metrics["average_precision"] = average_precision(labels, probabilities)
    if dev_threshold is not None:
        at_dev = metrics_at(labels, probabilities, dev_threshold)
        metrics |= {f"{name}{AT_DEV}": value for name, value in at_dev.items()}
    return metrics


def intervals(
    labels: Ints,
    probabilities: Floats,
    talk_of: Ints,
    dev_threshold: float | None = None,
    *,
    resamples: int = RESAMPLES,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Return `intent_metrics` with percentile bootstrap intervals.

    Dialogues are drawn, not examples: the examples of one dialogue hang together.
    """
    values = intent_metrics(labels, probabilities, dev_threshold)
    drawn = resampled_dialogues(talk_of, resamples=resamples, seed=seed)
    thresholds = {"": THRESHOLD} | ({AT_DEV: dev_threshold} if dev_threshold is not None else {})
    samples: dict[str, Floats] = {}
    for suffix, threshold in thresholds.items():
        for name, sample in _resampled(labels, probabilities >= threshold, talk_of, drawn).items():
            samples[name + suffix] = sample
    samples["average_precision"] = np.array(
        [average_precision(labels, probabilities, times[talk_of]) for times in drawn]
    )
    tail = 50 * (1 - confidence)
    return {
        name: Estimate(value, *map(float, np.percentile(samples[name], [tail, 100 - tail])))
        for name, value in values.items()
    }


def resampled_dialogues(talk_of: Ints, *, resamples: int, seed: int) -> Floats:
    """Return how often each dialogue is drawn in each resample, (resamples, dialogues)."""
    size = int(talk_of.max()) + 1 if len(talk_of) else 0
    source = np.random.default_rng(seed)
    drawn = np.zeros((resamples, size))
    for line in drawn:
        line += np.bincount(source.integers(0, size, size), minlength=size)
    return drawn


def _resampled(
    labels: Ints, said: NDArray[np.bool_], talk_of: Ints, drawn: Floats
) -> dict[str, Floats]:
    cells = (
        said & (labels == 1),
        said & (labels == 0),
        ~said & (labels == 1),
        ~said & (labels == 0),
    )
    tp, fp, fn, tn = (
        drawn @ np.bincount(talk_of, weights=cell, minlength=drawn.shape[1]) for cell in cells
    )
    f1_share, f1_other = _ratio(2 * tp, 2 * tp + fp + fn), _ratio(2 * tn, 2 * tn + fp + fn)
    return {
        "f1": f1_share,
        "precision": _ratio(tp, tp + fp),
        "recall": _ratio(tp, tp + fn),
        "macro_f1": (f1_share + f1_other) / 2,
        "accuracy": _ratio(tp + tn, tp + fp + fn + tn),
    }


def _ratio(part: Floats, whole: Floats) -> Floats:
    return 100 * np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


class PositionRow(msgspec.Struct, frozen=True):
    """The examples that hold so many turns; of the last row, so many or more."""

    turns: int
    examples: int
    shares: int
    false_alarms: int
    missed: int


def by_position(
    labels: Ints,
    probabilities: Floats,
    positions: Ints,
    threshold: float = THRESHOLD,
    *,
    last: int = 12,
) -> list[PositionRow]:
    """Count errors by the number of turns; `last` and more are one row."""
    said, place = probabilities >= threshold, np.minimum(positions, last)
    return [
        PositionRow(
            turns,
            int(here.sum()),
            int((here & (labels == 1)).sum()),
            int((here & said & (labels == 0)).sum()),
            int((here & ~said & (labels == 1)).sum()),
        )
        for turns in np.unique(place).tolist()
        for here in [place == turns]
    ]


class McNemar(msgspec.Struct, frozen=True):
    """Examples that only one of two runs gets right, and how likely so uneven a split is."""

    only_first_right: int
    only_second_right: int
    p_value: float


def mcnemar(labels: Ints, first: NDArray[np.bool_], second: NDArray[np.bool_]) -> McNemar:
    """Compare two runs' answers by McNemar's exact test (two-sided)."""
    right_1, right_2 = first == (labels == 1), second == (labels == 1)
    b, c = int((right_1 & ~right_2).sum()), int((~right_1 & right_2).sum())
    n, k = b + c, min(b, c)
    if not n:
        return McNemar(0, 0, 1.0)
    logs = [
        math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1) - n * math.log(2)
        for i in range(k + 1)
    ]
    return McNemar(b, c, min(1.0, 2 * math.fsum(map(math.exp, logs))))


def paired_difference(
    labels: Ints,
    first: NDArray[np.bool_],
    second: NDArray[np.bool_],
    talk_of: Ints,
    *,
    resamples: int = RESAMPLES,
    confidence: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Return F1 of the second run less that of the first, with its interval over dialogues."""
    drawn = resampled_dialogues(talk_of, resamples=resamples, seed=seed)

    def difference(times: Floats) -> Floats:
        found = [_resampled(labels, said, talk_of, times)["f1"] for said in (first, second)]
        return found[1] - found[0]

    tail = 50 * (1 - confidence)
    low, high = np.percentile(difference(drawn), [tail, 100 - tail])
    return Estimate(float(difference(np.ones((1, drawn.shape[1])))[0]), float(low), float(high))
