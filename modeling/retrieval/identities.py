"""Which photos are right for a query: its own or, where identities are known, all of its person."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from modeling.metrics import Estimate, Ranks, per_query_metrics, retrieval_metrics
from modeling.retrieval.examples import RetrievalExamples
from modeling.retrieval.metrics import first_ranks, precisions
from modeling.retrieval.ranks import NONE

RANK_AT = (1, 5, 10)  # Rank-k, as person retrieval reports it


def identity_numbers(examples: RetrievalExamples) -> list[int]:
    """Return a number a photo, equal just for photos of the same identity."""
    if not examples.identities:
        return list(range(len(examples.photos)))
    numbers: dict[str, int] = {}
    return [numbers.setdefault(name, len(numbers)) for name in examples.identities]


def right_photos(examples: RetrievalExamples) -> Tensor:
    """Return the right photos of each query, (queries,), or (queries, m) filled up with `NONE`."""
    gold = [query.photo for query in examples.queries]
    if not examples.identities:
        return torch.tensor(gold, dtype=torch.long)
    numbers = identity_numbers(examples)
    together: dict[int, list[int]] = {}
    for photo, number in enumerate(numbers):
        together.setdefault(number, []).append(photo)
    rows = [together[numbers[photo]] for photo in gold]
    table = torch.full((len(rows), max(map(len, rows), default=1)), NONE)
    for row, places in enumerate(rows):
        table[row, : len(places)] = torch.tensor(places)
    return table


def by_identity(ranks: Ranks, *, resamples: int = 1000, seed: int = 0) -> dict[str, Estimate]:
    """Return Rank-1, 5 and 10 (a photo of the identity is among so many) and mAP, in percent.

    `ranks` are (queries, m), of all photos that are right.
    """
    found = retrieval_metrics(first_ranks(ranks), resamples=resamples, seed=seed)
    several = precisions(ranks, resamples=resamples, seed=seed)
    return {f"rank-{k}": found[f"recall@{k}"] for k in RANK_AT} | {"map": several["map"]}


def by_chance(examples: RetrievalExamples) -> dict[str, float]:
    """Return what a random order reaches: the expected metrics, and the median of all its ranks.

    With m right photos of n the first k hold none of them in n - m over k of n over k orders.
    """
    right = right_photos(examples).reshape(len(examples), -1) != NONE
    n, m = len(examples.photos), right.sum(1, keepdim=True).numpy()
    before = np.arange(n)
    none = np.cumprod(np.maximum(n - m - before, 0) / (n - before), axis=1)  # (queries, ranks)
    found = 1 - none.mean(axis=0)  # by each rank
    at = np.diff(found, prepend=0.0)
    values = {name: float(at @ column) for name, column in per_query_metrics(before + 1).items()}
    halves = [np.argmax(found > 0.5 - 1e-9), np.argmax(found > 0.5 + 1e-9)]
    return values | {"median_rank": float(np.mean(halves)) + 1}
