"""How rank and recall go from round to round, and how early the photo is found.

`ranks` are those of every prefix: one array a query, of the rank after each of its rounds. A query
whose talk has ended keeps its last rank, so every figure is over all queries.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from modeling.metrics import Estimate, Ranks, retrieval_metrics

EARLY_AT = (1, 5, 10)
Half = Literal["half", "all"]


class RoundRow(msgspec.Struct, frozen=True):
    """What is reached after `round` rounds; `talking` queries have had so many."""

    round: int
    talking: int
    metrics: dict[str, Estimate]


class EarlyAnswer(msgspec.Struct, frozen=True):
    """After how many rounds the photo first is among the best `k`.

    `found` is the share of queries, in percent, for which it ever is. `mean_rounds` and
    `median_rounds` are over those; `mean_rounds` is 0 where there is none. `lost` is the share of
    them whose photo is not among the best `k` at the end.
    """

    k: int
    found: float
    mean_rounds: float
    median_rounds: float
    lost: float


def rank_table(ranks: Sequence[Ranks]) -> Ranks:
    """Return ranks (queries, longest) with the last rank carried on to the longest talk's end."""
    longest = max((len(own) for own in ranks), default=0)
    return np.array(
        [[*own, *[own[-1]] * (longest - len(own))] for own in ranks], dtype=np.int64
    ).reshape(len(ranks), longest)


def rows_by_round(
    ranks: Sequence[Ranks], *, resamples: int = 1000, seed: int = 0
) -> list[RoundRow]:
    """Return the metrics after each round, up to the longest talk's last."""
    table = rank_table(ranks)
    rounds = np.array([len(own) for own in ranks])
    return [
        RoundRow(
            j + 1,
            int((rounds > j).sum()),
            retrieval_metrics(table[:, j], resamples=resamples, seed=seed),
        )
        for j in range(table.shape[1])
    ]


def ranks_after(ranks: Sequence[Ranks], rounds: int | Half) -> Ranks:
    """Return each query's rank after so many rounds, after half of its own (rounded up) or all."""

    def place(own: Ranks) -> int:
        if rounds == "all":
            return len(own) - 1
        if rounds == "half":
            return math.ceil(len(own) / 2) - 1
        return min(rounds, len(own)) - 1

    return np.array([own[place(own)] for own in ranks], dtype=np.int64)


def early_answers(ranks: Sequence[Ranks], at: Sequence[int] = EARLY_AT) -> list[EarlyAnswer]:
    """Return, for each k of `at`, how early the photo is among the best k."""
    return [_early(ranks, k) for k in at]


def _early(ranks: Sequence[Ranks], k: int) -> EarlyAnswer:
    first = np.array([_first(own, k) for own in ranks])
    answered: NDArray[np.bool_] = first > 0
    lost = np.array([own[-1] > k for own in ranks], dtype=bool)[answered]
    found = first[answered]
    return EarlyAnswer(
        k,
        100.0 * float(answered.mean()) if len(ranks) else 0.0,
        float(found.mean()) if len(found) else 0.0,
        float(np.median(found)) if len(found) else 0.0,
        100.0 * float(lost.mean()) if len(found) else 0.0,
    )


def _first(own: Ranks, k: int) -> int:
    within = np.flatnonzero(own <= k)
    return int(within[0]) + 1 if len(within) else 0
