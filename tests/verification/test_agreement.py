"""Agreement: our vectorised forms against the package and against naive ones."""

from __future__ import annotations

import krippendorff
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verification.agreement import Estimate, agreement, alphas, kappas
from verification.decision_report import _standing
from verification.votes import Vote

TABLES = st.lists(st.integers(0, 30), min_size=4, max_size=4).filter(lambda cells: sum(cells) > 0)
PATTERNS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 4)).filter(lambda p: sum(p) > 1),
    min_size=2,
    max_size=12,
).filter(lambda ps: any(p[0] for p in ps) and any(p[1] for p in ps))


def naive_kappa(table: np.ndarray) -> float | None:
    n = table.sum()
    same = sum(table[i, i] for i in range(2)) / n
    chance = sum(table[i, :].sum() * table[:, i].sum() for i in range(2)) / n**2
    return None if chance == 1 else (same - chance) / (1 - chance)


@given(TABLES)
def test_kappa_is_what_a_loop_computes(cells):
    table = np.array(cells, dtype=float).reshape(2, 2)
    naive = naive_kappa(table)
    [ours] = kappas(table[None])
    assert np.isnan(ours) if naive is None else ours == pytest.approx(naive)


@settings(deadline=None)
@given(PATTERNS)
def test_alpha_of_resamples_is_the_packages_alpha(patterns):
    """The bootstrap's own formula agrees with the library that gives the value itself."""
    counts = np.array(patterns)
    [ours] = alphas(counts.astype(float), np.ones((1, len(patterns))))
    theirs = krippendorff.alpha(value_counts=counts, level_of_measurement="nominal")
    assert ours == pytest.approx(theirs)


def test_agreement_counts_pairs_and_brackets_its_values():
    votes = []
    for number in range(60):
        said = "accept" if number % 3 else "reject"
        votes += [Vote(number, "ann", said), Vote(number, "bob", said)]
        votes.append(Vote(number, "eve", "accept" if number % 2 else "unsure"))
    found = agreement(votes, resamples=300)
    assert found.dialogues == 60
    pairs = {pair.reviewers: pair for pair in found.pairs}
    assert pairs["ann", "bob"].kappa.value == 1
    assert pairs["ann", "eve"].dialogues == 30  # unsure votes are missing ones
    assert found.alpha.low < found.alpha.value < found.alpha.high < 1
    assert found == agreement(votes, resamples=300)


def test_one_verdict_alone_determines_no_agreement():
    votes = [Vote(n, who, "accept") for n in range(5) for who in ("ann", "bob")]
    found = agreement(votes)
    assert found.alpha.value is None
    assert found.pairs[0].kappa.value is None
    assert agreement([]).alpha.value is None


def test_two_dialogues_are_too_few_for_an_interval():
    """Half of the resamples have one verdict alone: the others say nothing of the ends."""
    said = {1: "accept", 2: "reject"}
    found = agreement([Vote(n, who, said[n]) for n in said for who in ("ann", "bob")])
    assert found.alpha == found.pairs[0].kappa == Estimate(1.0)
    assert _standing(found.alpha) == "unknown"
