"""Metrics with several right photos, by theme and between runs equal their definitions in loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeling.metrics import retrieval_metrics
from modeling.retrieval.metrics import (
    by_theme,
    first_ranks,
    only_one_finds,
    paired_differences,
    precisions,
)
from modeling.retrieval.ranks import NONE

found_at = st.lists(
    st.lists(st.integers(1, 40), min_size=1, max_size=6, unique=True).map(sorted),
    min_size=1,
    max_size=8,
)


def filled(rows):
    width = max(map(len, rows))
    return np.array([row + [NONE] * (width - len(row)) for row in rows], dtype=np.int64)


@settings(deadline=None)
@given(found_at)
def test_precision_and_map_equal_their_definition(rows):
    metrics = precisions(filled(rows), resamples=10)
    for k in (1, 3, 5, 10, 30):
        per_query = [sum(rank <= k for rank in row) / k for row in rows]
        assert metrics[f"precision@{k}"].value == pytest.approx(100 * np.mean(per_query))
    average = []
    for row in rows:
        total = 0.0
        for rank in row:
            total += sum(other <= rank for other in row) / rank
        average.append(total / len(row))
    assert metrics["map"].value == pytest.approx(100 * np.mean(average))


def test_with_one_right_photo_map_is_mrr():
    ranks = np.array([1, 4, 9], dtype=np.int64)
    assert precisions(ranks, resamples=0)["map"].value == pytest.approx(
        retrieval_metrics(ranks, resamples=0)["mrr"].value
    )
    assert first_ranks(ranks[:, None]).tolist() == ranks.tolist()


def test_a_photo_of_two_themes_counts_for_both():
    ranks = np.array([1, 2, 30], dtype=np.int64)
    rows = by_theme(ranks, [("food", "people"), ("food",), ()])
    assert [(row.theme, row.queries) for row in rows] == [("food", 2), ("people", 1), ("none", 1)]
    assert rows[0].metrics["recall@1"] == 50
    assert rows[1].metrics["recall@1"] == 100


def test_the_paired_interval_is_narrower_than_that_of_either_run():
    """Two runs that fail on the same queries differ surely, though each is unsure by itself."""
    source = np.random.default_rng(1)
    hard = source.random(400) < 0.5
    first = np.where(hard, 500, 1)
    second = np.where(hard & (source.random(400) < 0.1), 1, first)
    difference = paired_differences(first, second)["recall@1"]
    alone = retrieval_metrics(first)["recall@1"]
    expected = 100 * ((second == 1).mean() - (first == 1).mean())
    assert difference.value == pytest.approx(expected)
    assert 0 < difference.low <= difference.value <= difference.high
    assert difference.high - difference.low < (alone.high - alone.low) / 2
    assert only_one_finds(first, second) == (0, int((second == 1).sum() - (first == 1).sum()))
