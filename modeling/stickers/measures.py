"""How good a ranking of stickers is: a sticker with the gold intention counts as right.

Section 5.1 of arXiv 2403.05427: mAP, P@1, P@3, P@5, precision-recall curves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from modeling.metrics import Estimate, estimates, retrieval_metrics
from modeling.retrieval.metrics import precisions
from modeling.retrieval.ranks import NONE, Ranks, ranks_of
from modeling.stickers.examples import Gallery, StickerExamples

AT = (1, 3, 5)  # section 5.1
RECALL_LEVELS = tuple(i / 20 for i in range(21))


class Scored(NamedTuple):
    """Scores (conversations, stickers), and each conversation's guessed tag, if a model guesses."""

    scores: Tensor
    tags: NDArray[np.int64] | None


class TagRow(msgspec.Struct, frozen=True):
    """What is reached on the conversations of one intention; `stickers` have it too."""

    intention: str
    conversations: int
    stickers: int
    metrics: dict[str, float]


def right_stickers(examples: StickerExamples, gallery: Gallery) -> Tensor:
    """Return the stickers with each conversation's intention, (conversations, most), rows filled up
    with `NONE`."""
    of_tag: dict[str, list[int]] = {}
    for i, sticker in enumerate(gallery.stickers):
        for tag in sticker.intentions:
            of_tag.setdefault(tag, []).append(i)
    rows = [of_tag[one.intention] for one in examples.conversations]
    table = torch.full((len(rows), max(map(len, rows))), NONE)
    for line, row in zip(table, rows, strict=True):
        line[: len(row)] = torch.tensor(row)
    return table


def right_ranks(found: Scored, examples: StickerExamples, gallery: Gallery) -> Ranks:
    """Return the ranks of the right stickers, as `right_stickers` lays them out, rising."""
    right = right_stickers(examples, gallery)
    return ranks_of(lambda part: found.scores[part], right, len(gallery.stickers))


def sticker_metrics(
    found: Scored,
    examples: StickerExamples,
    gallery: Gallery,
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Return all metrics in percent, with bootstrap intervals over conversations.

    `precision@k` is the share of right stickers among the first k; `hit@k` whether any is right:
    the paper's P@k grows with k as only this can. `gold_recall@k`, `gold_mrr` and
    `gold_median_rank` are of the very sticker that was sent.
    """
    ranks = right_ranks(found, examples, gallery)
    shares = precisions(ranks, resamples=resamples, seed=seed)
    metrics = {"map": shares["map"]} | {f"precision@{k}": shares[f"precision@{k}"] for k in AT}
    own = {f"hit@{k}": np.where(ranks[:, 0] <= k, 100.0, 0.0) for k in AT}
    if found.tags is not None:
        own["intention_accuracy"] = np.where(found.tags == np.array(examples.tags), 100.0, 0.0)
    metrics |= estimates(own, resamples=resamples, confidence=0.95, seed=seed)
    gold = torch.tensor(examples.gold)
    gold_ranks = ranks_of(lambda part: found.scores[part], gold, len(gallery.stickers))
    of_gold = retrieval_metrics(gold_ranks, resamples=resamples, seed=seed)
    return metrics | {f"gold_{name}": e for name, e in of_gold.items() if name != "sum"}


def by_chance(examples: StickerExamples, gallery: Gallery) -> dict[str, float]:
    """Return what a random order reaches on average, in percent, exactly.

    With m right stickers of n: P@k is m / n; no hit in k has n - m over k of n over k; a right
    sticker at rank r, all being as likely, has (r - 1)(m - 1) / (n - 1) others before it.
    """
    right = right_stickers(examples, gallery)
    n = len(gallery.stickers)
    m = (right != NONE).sum(1).numpy().astype(float)
    harmonic = sum(1 / r for r in range(1, n + 1)) / n
    others = (m - 1) / max(n - 1, 1)
    result = {"map": harmonic + others * (1 - harmonic)}
    result |= {f"precision@{k}": m / n for k in AT}
    for k in AT:
        missed = np.ones_like(m)
        for i in range(min(k, n)):
            missed *= np.maximum(n - m - i, 0) / (n - i)
        result[f"hit@{k}"] = 1 - missed
    return {name: float(100 * np.mean(values)) for name, values in result.items()}


def precision_recall(ranks: Ranks, levels: Sequence[float] = RECALL_LEVELS) -> list[float]:
    """Return the interpolated precision at recall levels, averaged over conversations, in percent.

    Precision at a level is the highest at any cut whose recall reaches it. `ranks` are those of
    the right stickers, (conversations, most), rising, filled up with `NONE`.
    """
    there = ranks != NONE
    place = np.arange(1, ranks.shape[1] + 1)
    precision = np.where(there, place / np.where(there, ranks, 1), 0.0)
    highest = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    count = there.sum(1)
    curve = []
    for level in levels:
        # The first right sticker by which the recall is reached, from 0.
        at = np.maximum(np.ceil(level * count - 1e-9).astype(int), 1) - 1
        curve.append(100 * float(np.mean(np.take_along_axis(highest, at[:, None], axis=1))))
    return curve


def by_intention(found: Scored, examples: StickerExamples, gallery: Gallery) -> list[TagRow]:
    """Return a row for each intention that a conversation has, the most frequent first."""
    ranks = right_ranks(found, examples, gallery)
    own = np.array([one.intention for one in examples.conversations])
    names, counts = np.unique(own, return_counts=True)
    rows = []
    for name in names[np.argsort(-counts, kind="stable")]:
        here = own == name
        reached = precisions(ranks[here], resamples=0)
        metrics = {key: reached[key].value for key in ("map", "precision@1")}
        if found.tags is not None:
            right = found.tags[here] == np.array(examples.tags)[here]
            metrics["intention_accuracy"] = 100 * float(np.mean(right))
        stickers = sum(name in sticker.intentions for sticker in gallery.stickers)
        rows.append(TagRow(str(name), int(here.sum()), stickers, metrics))
    return rows
