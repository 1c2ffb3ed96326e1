"""Prefixes, those that training draws, and what is measured from round to round."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeling.retrieval.examples import Query
from modeling.retrieval.round_metrics import (
    early_answers,
    rank_table,
    ranks_after,
    rows_by_round,
)
from modeling.retrieval.rounds import prefixes, retained
from photochat.dialogue import Utterance

RANKS = [np.array([40, 7, 1]), np.array([3]), np.array([9, 1, 2, 6])]


def query_of(rounds):
    turns = tuple(Utterance(j % 2, f"turn {j}") for j in range(rounds))
    return Query(7, turns, 0, 3)


def test_prefixes_end_after_each_round_and_silence_is_its_own_only_prefix():
    assert [len(q.turns) for q in prefixes(query_of(3))] == [1, 2, 3]
    assert prefixes(query_of(0)) == [query_of(0)]
    assert prefixes(query_of(2))[-1] == query_of(2)


@given(st.integers(0, 9), st.integers(0, 99), st.integers(0, 99), st.integers(0, 99))
def test_what_is_retained_is_a_prefix_that_seed_epoch_and_number_decide(
    rounds, number, seed, epoch
):
    query = query_of(rounds)
    kept = retained(query, number, seed=seed, epoch=epoch)
    assert kept.turns == query.turns[: len(kept.turns)]
    assert len(kept.turns) >= min(rounds, 1)
    assert kept == retained(query, number, seed=seed, epoch=epoch)


def test_every_length_is_retained_as_often_and_each_epoch_draws_anew():
    query = query_of(4)
    drawn = [len(retained(query, n, seed=0, epoch=0).turns) for n in range(2000)]
    assert all(abs(count - 500) < 80 for count in Counter(drawn).values())
    again = [len(retained(query, n, seed=0, epoch=1).turns) for n in range(2000)]
    assert sum(a != b for a, b in zip(drawn, again, strict=True)) > 1000


def test_a_talk_that_has_ended_keeps_its_rank():
    assert rank_table(RANKS).tolist() == [[40, 7, 1, 1], [3, 3, 3, 3], [9, 1, 2, 6]]
    rows = rows_by_round(RANKS, resamples=10)
    assert [row.talking for row in rows] == [3, 2, 2, 1]
    assert [row.metrics["recall@1"].value for row in rows] == pytest.approx(
        [0, 100 / 3, 100 / 3, 100 / 3]
    )
    assert rank_table([]).shape == (0, 0)


def test_ranks_after_a_number_of_rounds_half_or_all():
    assert ranks_after(RANKS, 2).tolist() == [7, 3, 1]
    assert ranks_after(RANKS, "half").tolist() == [7, 3, 1]
    assert ranks_after(RANKS, "all").tolist() == [1, 3, 6]


def test_early_answers_say_when_the_photo_first_is_among_the_best_and_whether_it_stays():
    first, fifth = early_answers(RANKS, (1, 5))
    assert (first.found, first.mean_rounds, first.median_rounds) == pytest.approx(
        (200 / 3, 2.5, 2.5)
    )
    assert first.lost == 50.0
    assert (fifth.found, fifth.mean_rounds, fifth.lost) == pytest.approx((100, 2, 100 / 3))
    nobody = early_answers([np.array([9, 8])], (1,))[0]
    assert (nobody.found, nobody.mean_rounds, nobody.lost) == (0, 0, 0)
