"""What any model has to beat: answers that look at nothing, or at the number of turns alone."""

from __future__ import annotations

import numpy as np

from modeling.examples import IntentExamples
from modeling.intent.metrics import Floats, f1


def after_turn(examples: IntentExamples) -> int:
    """Return the k with the best F1 of "a share comes from turn k on"; the least of equals."""
    labels, positions = examples.labels, examples.positions
    scores = {}
    for k in range(1, int(positions.max(initial=1)) + 1):
        said = positions >= k
        hits = int(labels[said].sum())
        scores[k] = f1(hits, int(said.sum()) - hits, int(labels.sum()) - hits)
    return max(scores, key=lambda k: scores[k])


def baseline_probabilities(
    examples: IntentExamples, *, turn: int, share_rate: float, seed: int = 0
) -> dict[str, Floats]:
    """Return each baseline's probabilities, (examples,).

    `turn` and `share_rate` come from the training split: the k of "after turn k", and how often
    the random baseline says yes.
    """
    size = len(examples)
    drawn = np.random.default_rng(seed).random(size) < share_rate
    return {
        "always": np.ones(size),
        "never": np.zeros(size),
        "random": drawn.astype(np.float64),
        f"after turn {turn}": (examples.positions >= turn).astype(np.float64),
    }
