"""Ranks count ties against the model; metrics and intervals follow from ranks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeling.metrics import bootstrap, rank_of, retrieval_metrics

scores = st.lists(st.integers(-3, 3), min_size=1, max_size=20)


@given(scores, st.data())
def test_a_rank_counts_everything_at_least_as_good(values, data):
    gold = data.draw(st.integers(0, len(values) - 1))
    others = values[:gold] + values[gold + 1 :]
    assert rank_of(np.array(values, dtype=float), gold) == 1 + sum(
        v >= values[gold] for v in others
    )


def test_a_constant_score_ranks_last():
    assert rank_of(np.zeros(1000), 3) == 1000


@given(st.lists(st.integers(1, 50), min_size=1, max_size=30))
def test_metrics_equal_their_definition(ranks):
    found = retrieval_metrics(np.array(ranks), resamples=20)
    n = len(ranks)
    for k in (1, 5, 10, 30):
        assert found[f"recall@{k}"].value == pytest.approx(100 * sum(r <= k for r in ranks) / n)
    recalls = sum(found[f"recall@{k}"].value for k in (1, 5, 10))
    assert found["sum"].value == pytest.approx(recalls)
    assert found["mrr"].value == pytest.approx(100 * sum(1 / r for r in ranks) / n)
    middle = sorted(ranks)[(n - 1) // 2], sorted(ranks)[n // 2]
    assert found["median_rank"].value == pytest.approx(sum(middle) / 2)
    assert all(e.low <= e.high for e in found.values())


def test_intervals_cover_the_value_and_shrink_with_more_queries():
    source = np.random.default_rng(0)
    widths = []
    for count in (100, 10_000):
        ranks = np.where(source.random(count) < 0.2, 1, 100)
        estimate = retrieval_metrics(ranks)["recall@1"]
        assert estimate.low <= estimate.value <= estimate.high
        widths.append(estimate.high - estimate.low)
    assert widths[0] > 5 * widths[1]


def test_the_interval_is_as_wide_as_theory_says():
    """A recall of 20% over 1,000 queries has a standard error of 1.26 points."""
    ranks = np.array([1] * 200 + [100] * 800)
    estimate = retrieval_metrics(ranks, resamples=4000)["recall@1"]
    assert estimate.high - estimate.low == pytest.approx(2 * 1.96 * 1.265, rel=0.08)


def test_resampling_is_seeded():
    table = np.arange(20.0).reshape(10, 2)
    first = bootstrap(table, resamples=5, seed=1)
    assert np.array_equal(first, bootstrap(table, resamples=5, seed=1))
    assert not np.array_equal(first, bootstrap(table, resamples=5, seed=2))


def test_no_queries_are_zeros():
    assert retrieval_metrics(np.array([], dtype=np.int64))["mrr"].value == 0
