"""Retrieval metrics on ranks, and how sure one can be of them.

A rank is 1 for the best. Ties count against the model: an item that shares its score with n others
stands behind all of them, so a constant score earns nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

RECALL_AT = (1, 5, 10)  # section 5: R@1, R@5, R@10 and their sum
RECALL_BEYOND = (30,)  # asked for by later work; not in the sum

Ranks = NDArray[np.int64]
Statistic = Callable[..., Any]  # of a table along axis 0, like numpy's mean


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
    """Return recall@k, the sum of the first three, MRR (in percent) and the median rank.

    `ranks` has shape (queries,). Intervals are percentile bootstraps over queries; without
    resamples they are the value. With no queries every value is 0.
    """
    bootstrapped = partial(estimates, resamples=resamples, confidence=confidence, seed=seed)
    middle = bootstrapped({"median_rank": ranks.astype(np.float64)}, np.median)
    return bootstrapped(per_query_metrics(ranks)) | middle


def per_query_metrics(ranks: Ranks) -> dict[str, NDArray[np.float64]]:
    """Return, by metric, what each query adds to the mean, (queries,) in percent."""
    columns: dict[str, NDArray[np.float64]] = {
        f"recall@{k}": np.where(ranks <= k, 100.0, 0.0) for k in (*RECALL_AT, *RECALL_BEYOND)
    }
    columns["sum"] = np.sum([columns[f"recall@{k}"] for k in RECALL_AT], axis=0)
    columns["mrr"] = np.divide(100.0, ranks)
    return columns


def estimates(
    columns: dict[str, NDArray[np.float64]],
    statistic: Statistic = np.mean,
    *,
    resamples: int,
    confidence: float,
    seed: int,
) -> dict[str, Estimate]:
    """Return the statistic of each column, (queries,), with its percentile bootstrap interval."""
    table = np.stack(list(columns.values()), axis=1)  # (queries, metrics)
    values = statistic(table, axis=0) if len(table) else np.zeros(table.shape[1])
    low = high = values
    if resamples:
        drawn = bootstrap(table, statistic, resamples=resamples, seed=seed)
        tail = 50 * (1 - confidence)
        low, high = np.percentile(drawn, [tail, 100 - tail], axis=0)
    return {
        name: Estimate(float(values[i]), float(low[i]), float(high[i]))
        for i, name in enumerate(columns)
    }


def bootstrap(
    table: NDArray[np.float64],
    statistic: Statistic = np.mean,
    *,
    resamples: int,
    seed: int,
) -> NDArray[np.float64]:
    """Return the statistic of each column of `table` (queries, metrics) on resamples of its rows.

    Shape (resamples, metrics). Memory stays at one resample at a time.
    """
    generator = np.random.default_rng(seed)
    count = len(table)
    drawn = np.zeros((resamples, table.shape[1]))
    if count:
        for row in drawn:
            row[:] = statistic(table[generator.integers(0, count, count)], axis=0)
    return drawn
