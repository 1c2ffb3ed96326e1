"""Intent metrics equal other libraries', and intervals are as wide as they should be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn import metrics as peer

from modeling.examples import intent_examples
from modeling.intent.baselines import after_turn, baseline_probabilities
from modeling.intent.metrics import (
    average_precision,
    best_threshold,
    by_position,
    counts,
    intent_metrics,
    intervals,
    mcnemar,
    metrics_at,
    paired_difference,
)
from tests.conftest import make_dialogue

pairs = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.1, 0.5, 0.7, 1.0])), min_size=1
)


def arrays(items):
    labels, probabilities = zip(*items, strict=True)
    return np.array(labels), np.array(probabilities)


@given(pairs)
def test_f1_precision_recall_and_macro_f1_are_scikit_learns(items):
    labels, probabilities = arrays(items)
    said = probabilities >= 0.5
    found = metrics_at(labels, probabilities)
    precision, recall, f1, _ = peer.precision_recall_fscore_support(
        labels, said, average="binary", zero_division=0
    )
    assert found["f1"] == pytest.approx(100 * f1)
    assert found["precision"] == pytest.approx(100 * precision)
    assert found["recall"] == pytest.approx(100 * recall)
    macro = peer.f1_score(labels, said, average="macro", labels=[0, 1], zero_division=0)
    assert found["macro_f1"] == pytest.approx(100 * macro)


@given(pairs, st.data())
def test_average_precision_is_scikit_learns_with_weights_too(items, data):
    labels, probabilities = arrays(items)
    weights = np.array(
        data.draw(st.lists(st.integers(0, 3), min_size=len(labels), max_size=len(labels)))
    )
    if (labels * weights).sum() == 0:
        assert average_precision(labels, probabilities, weights.astype(float)) == 0
        return
    theirs = peer.average_precision_score(labels, probabilities, sample_weight=weights)
    ours = average_precision(labels, probabilities, weights.astype(float))
    assert ours == pytest.approx(100 * theirs)


@given(pairs)
def test_no_threshold_is_better_than_the_best(items):
    labels, probabilities = arrays(items)
    best = metrics_at(labels, probabilities, best_threshold(labels, probabilities))["f1"]
    for threshold in (0.05, 0.1, 0.3, 0.5, 0.6, 0.7, 0.9, 1.0):
        assert metrics_at(labels, probabilities, threshold)["f1"] <= best + 1e-9


@given(st.lists(st.tuples(st.integers(0, 1), st.booleans(), st.booleans()), min_size=1))
def test_mcnemar_is_the_exact_binomial_test(items):
    labels, first, second = map(np.array, zip(*items, strict=True))
    found = mcnemar(labels, first, second)
    n = found.only_first_right + found.only_second_right
    expected = binomtest(found.only_first_right, n).pvalue if n else 1.0
    assert found.p_value == pytest.approx(expected)


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_each_resample_is_the_metric_of_its_dialogues(seed):
    """Literally: with one resample, the interval is the metric of the dialogues drawn."""
    source = np.random.default_rng(seed)
    talk_of = np.repeat(np.arange(6), 3)
    labels, probabilities = source.integers(0, 2, 18), source.random(18).round(1)
    found = intervals(labels, probabilities, talk_of, 0.3, resamples=1, seed=seed)
    drawn = np.random.default_rng(seed).integers(0, 6, 6)
    chosen = np.concatenate([np.flatnonzero(talk_of == talk) for talk in drawn])
    expected = intent_metrics(labels[chosen], probabilities[chosen], 0.3)
    for name, estimate in found.items():
        assert estimate.low == pytest.approx(expected[name]), name


def test_intervals_over_dialogues_are_wider_where_their_examples_agree():
    source = np.random.default_rng(0)
    labels, right = np.tile([1, 0, 0, 0], 300), source.random(300) < 0.6
    probabilities = np.where(np.repeat(right, 4), labels, 1 - labels).astype(float)
    together = intervals(labels, probabilities, np.repeat(np.arange(300), 4))["f1"]
    apart = intervals(labels, probabilities, np.arange(1200))["f1"]
    assert together.low < together.value < together.high
    assert together.high - together.low > 1.3 * (apart.high - apart.low)


def test_a_run_differs_from_itself_by_nothing_and_from_a_better_one_by_its_gain():
    labels = np.tile([1, 0, 0, 1], 50)
    poor, perfect = labels == 2, labels == 1
    talk_of = np.repeat(np.arange(50), 4)
    same = paired_difference(labels, perfect, perfect, talk_of)
    assert (same.low, same.value, same.high) == (0, 0, 0)
    assert paired_difference(labels, poor, perfect, talk_of).value == 100


def test_errors_are_counted_by_position_and_none_is_lost():
    labels, said = np.array([0, 1, 0, 1]), np.array([1.0, 0.0, 0.0, 1.0])
    rows = by_position(labels, said, np.array([1, 2, 12, 30]))
    assert [(r.turns, r.examples, r.false_alarms, r.missed) for r in rows] == [
        (1, 1, 1, 0),
        (2, 1, 0, 1),
        (12, 2, 0, 0),
    ]
    assert sum(row.shares for row in rows) == 2
    n = counts(labels, said)
    assert (n.true_positives, n.false_positives, n.false_negatives, n.true_negatives) == (1,) * 4


def test_baselines_always_never_and_after_the_turn_that_suits_training():
    examples = intent_examples([make_dialogue("0:a 1:b 0:c 0:*"), make_dialogue("0:a 1:b 0:c 0:*")])
    assert after_turn(examples) == 3
    said = baseline_probabilities(examples, turn=3, share_rate=1.0)
    f1 = {name: metrics_at(examples.labels, p)["f1"] for name, p in said.items()}
    assert f1 == {"always": 50.0, "never": 0.0, "random": 50.0, "after turn 3": 100.0}
