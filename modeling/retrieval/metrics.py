"""Metrics where several photos may be right, by theme, and between two runs, all from ranks.

Ranks come from `modeling.retrieval.ranks`: (queries,) for one right photo a query, (queries, m) in
rising order and filled up with `NONE` for several. Values are percentages but for ranks.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from modeling.metrics import (
    RECALL_AT,
    Estimate,
    Ranks,
    estimates,
    per_query_metrics,
    retrieval_metrics,
)
from modeling.retrieval.ranks import NONE

PRECISION_AT = (1, 3, 5, 10, 30)


def first_ranks(ranks: Ranks) -> Ranks:
    """Return the best rank of each query, (queries,), of ranks (queries,) or (queries, m)."""
    return ranks if ranks.ndim == 1 else ranks[:, 0]


def precisions(
    ranks: Ranks, *, resamples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> dict[str, Estimate]:
    """Return P@k, the share of right photos among the first k, and mAP, with intervals.

    Average precision is the mean, over a query's right photos, of the precision at their ranks.
    """
    table = ranks.reshape(len(ranks), -1)
    there = table != NONE
    columns: dict[str, NDArray[np.float64]] = {
        f"precision@{k}": 100.0 * (there & (table <= k)).sum(axis=1) / k for k in PRECISION_AT
    }
    place = np.arange(1, table.shape[1] + 1)
    shares = np.where(there, place / np.where(there, table, 1), 0.0)
    columns["map"] = 100.0 * shares.sum(axis=1) / np.maximum(there.sum(axis=1), 1)
    return estimates(columns, resamples=resamples, confidence=confidence, seed=seed)


class ThemeRow(msgspec.Struct, frozen=True):
    """What is reached on the queries whose photo shows a theme."""

    theme: str
    queries: int
    metrics: dict[str, float]


def by_theme(ranks: Ranks, themes: Sequence[Sequence[str]]) -> list[ThemeRow]:
    """Return a row a theme; a photo of two themes counts for both, one of none for "none"."""
    first = first_ranks(ranks)
    names = [*sorted({name for own in themes for name in own}), "none"]
    rows = []
    for name in names:
        here = np.array([name in own or (name == "none" and not own) for own in themes], dtype=bool)
        if here.any():
            found = retrieval_metrics(first[here], resamples=0)
            rows.append(ThemeRow(name, int(here.sum()), {n: e.value for n, e in found.items()}))
    return rows


def paired_differences(
    first: Ranks,
    second: Ranks,
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Return recalls, sum and MRR of the second run less those of the first, on equal queries.

    Queries are drawn with both their ranks, so what is hard for both runs does not widen the
    intervals.
    """
    before, after = per_query_metrics(first), per_query_metrics(second)
    columns = {name: after[name] - before[name] for name in after}
    return estimates(columns, resamples=resamples, confidence=confidence, seed=seed)


def only_one_finds(first: Ranks, second: Ranks, k: int = RECALL_AT[0]) -> tuple[int, int]:
    """Count the queries that only the first run, and only the second, answers within k."""
    one, two = first <= k, second <= k
    return int((one & ~two).sum()), int((two & ~one).sum())
