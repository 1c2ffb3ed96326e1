"""mAP, P@k, hits and the precision-recall curve equal plain loops over a sorted list."""

from pathlib import Path

import numpy as np
import pytest
import torch

from modeling.stickers.examples import Gallery, StickerExamples
from modeling.stickers.measures import (
    RECALL_LEVELS,
    Scored,
    by_chance,
    by_intention,
    precision_recall,
    right_ranks,
    sticker_metrics,
)
from photochat.stickers import Sticker, StickerConversation, StickerTurn

TAGS = ("joy", "anger", "fear")
OWN = [["joy"], ["anger"], ["joy", "fear"], [], ["fear"], ["joy"], ["anger"], ["joy"]]


@pytest.fixture
def gallery():
    stickers = [Sticker(f"s{i}", Path("x"), frozenset(own)) for i, own in enumerate(OWN)]
    return Gallery(tuple(stickers), (("",) * 4,) * len(OWN), 0)


@pytest.fixture
def examples():
    gold = (0, 1, 2, 4, 5, 6)
    tags = (0, 1, 2, 2, 0, 1)
    talks = tuple(
        StickerConversation(i, (StickerTurn(1, "hi"),), 1, f"s{g}", TAGS[t])
        for i, (g, t) in enumerate(zip(gold, tags, strict=True))
    )
    return StickerExamples(talks, ((),) * len(talks), gold, tags, 0)


@pytest.fixture
def found():
    scores = torch.randn(6, len(OWN), generator=torch.Generator().manual_seed(0))
    scores[1] = 0  # all the same: ties count against
    return Scored(scores, np.array([0, 1, 1, 2, 0, 0]))


def rights(found, examples):
    """Whether each sticker is right, best first, a wrong one before a right one of its score."""
    for i, one in enumerate(examples.conversations):
        pairs = [(-s, one.intention in OWN[j]) for j, s in enumerate(found.scores[i].tolist())]
        yield [right for _, right in sorted(pairs)]


def test_metrics_equal_plain_loops(found, examples, gallery):
    metrics = sticker_metrics(found, examples, gallery, resamples=50)
    lists = list(rights(found, examples))
    average = []
    for order in lists:
        precisions = [sum(order[: i + 1]) / (i + 1) for i, right in enumerate(order) if right]
        average.append(sum(precisions) / len(precisions))
    assert metrics["map"].value == pytest.approx(100 * np.mean(average))
    for k in (1, 3, 5):
        shares = [sum(order[:k]) / k for order in lists]
        assert metrics[f"precision@{k}"].value == pytest.approx(100 * np.mean(shares))
        hits = [any(order[:k]) for order in lists]
        assert metrics[f"hit@{k}"].value == pytest.approx(100 * np.mean(hits))
    assert metrics["intention_accuracy"].value == pytest.approx(100 * 4 / 6)
    assert metrics["map"].low <= metrics["map"].value <= metrics["map"].high
    ranks = [
        sum(s >= row[g] for s in row)
        for row, g in zip(found.scores.tolist(), examples.gold, strict=True)
    ]
    assert metrics["gold_mrr"].value == pytest.approx(100 * np.mean([1 / r for r in ranks]))


def test_the_curve_is_the_highest_precision_from_each_recall_on(found, examples, gallery):
    ranks = right_ranks(found, examples, gallery)
    looped = []
    for level in RECALL_LEVELS:
        total = 0.0
        for order in rights(found, examples):
            best = 0.0
            for cut in range(1, len(order) + 1):
                if sum(order[:cut]) / sum(order) >= level - 1e-9:
                    best = max(best, sum(order[:cut]) / cut)
            total += best
        looped.append(100 * total / len(examples))
    assert precision_recall(ranks) == pytest.approx(looped)
    assert precision_recall(np.array([[1, 2, -1]])) == [100.0] * len(RECALL_LEVELS)


def test_chance_is_the_mean_over_random_orders(examples, gallery):
    source = torch.Generator().manual_seed(1)
    exact = by_chance(examples, gallery)
    drawn = [
        sticker_metrics(
            Scored(torch.rand(6, len(OWN), generator=source), None), examples, gallery, resamples=0
        )
        for _ in range(800)
    ]
    for name, value in exact.items():
        assert np.mean([one[name].value for one in drawn]) == pytest.approx(value, abs=2.5)


def test_rows_by_intention_add_up(found, examples, gallery):
    rows = by_intention(found, examples, gallery)
    assert [(r.intention, r.conversations, r.stickers) for r in rows] == [
        ("anger", 2, 2), ("fear", 2, 2), ("joy", 2, 4),
    ]  # fmt: skip
    whole = sticker_metrics(found, examples, gallery, resamples=0)
    for name in ("map", "precision@1", "intention_accuracy"):
        mean = sum(row.metrics[name] * row.conversations for row in rows) / 6
        assert mean == pytest.approx(whole[name].value)
