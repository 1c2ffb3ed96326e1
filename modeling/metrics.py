"""Retrieval metrics on ranks, and how sure one can be of them.

A rank is 1 for the best. Ties count against the model: an item that shares its score with n others
stands behind all of them, so a constant score earns nothing.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

RECALL_AT = (1, 5, 10)  # section 5: R@1, R@5, R@10 and their sum

Ranks = NDArray[np.int64]


class Estimate(msgspec.Struct, frozen=True):
    """A metric over the queries and its bootstrap interval."""

    value: float
    low: float
    high: float


def rank_of(scores: NDArray[np.floating], gold: int) -> int:
    """Return the pessimistic rank of item `gold` in `scores`, shape (photos,)."""
    return int(np.count_nonzero(scores >= scores[gold]))


def retrieval_metrics(
    ranks: Ranks, *, resamples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> dict[str, Estimate]:
    """Return recall@k, their sum (all in percent) and MRR of `ranks`, shape (queries,).

    Intervals are percentile bootstraps over queries. With no queries every value is 0.
    """
    per_query = {f"recall@{k}": 100.0 * (ranks <= k) for k in RECALL_AT}
    per_query["sum"] = np.sum(list(per_query.values()), axis=0, dtype=np.float64)
    per_query["mrr"] = 100.0 / ranks
    table = np.stack(list(per_query.values()), axis=1)  # (queries, metrics)
    means = bootstrap_means(table, resamples=resamples, seed=seed)
    tail = 50 * (1 - confidence)
    low, high = np.percentile(means, [tail, 100 - tail], axis=0)
    values = table.mean(axis=0) if len(table) else np.zeros(table.shape[1])
    return {
        name: Estimate(float(values[i]), float(low[i]), float(high[i]))
        for i, name in enumerate(per_query)
    }


def bootstrap_means(
    table: NDArray[np.float64], *, resamples: int, seed: int
) -> NDArray[np.float64]:
    """Return the column means of `table` (queries, metrics) for each resample of its rows.

    Shape (resamples, metrics). Memory stays at one resample at a time.
    """
    generator = np.random.default_rng(seed)
    count = len(table)
    means = np.zeros((resamples, table.shape[1]))
    if count:
        for row in means:
            row[:] = table[generator.integers(0, count, count)].mean(axis=0)
    return means
