"""How well reviewers agree: Krippendorff's alpha over all, Cohen's kappa for each two.

Both speak of accept and reject; an unsure vote is a missing one. Intervals are percentile
bootstraps over dialogues. A dialogue counts only by how its votes fell, so a resample of dialogues
is a multinomial draw over the few patterns there are, and a thousand cost what one does.

Krippendorff, Content Analysis, 3rd edition, section 11.3 (nominal data); Cohen 1960,
https://doi.org/10.1177/001316446002000104.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import msgspec
import numpy as np
from numpy.typing import NDArray

from verification.votes import Vote

RESAMPLES = 1000
CONFIDENCE = 0.95
DECIDED = ("accept", "reject")

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


class Estimate(msgspec.Struct, frozen=True):
    """A value with the ends of its interval; None where the votes do not determine them."""

    value: float | None
    low: float | None = None
    high: float | None = None


class PairAgreement(msgspec.Struct, frozen=True):
    """Two reviewers on the dialogues that both decided on."""

    reviewers: tuple[str, str]
    dialogues: int
    same: int
    kappa: Estimate


class Agreement(msgspec.Struct, frozen=True):
    """Agreement of all, and of each two. `dialogues` had two decided votes or more."""

    dialogues: int
    alpha: Estimate
    pairs: list[PairAgreement]


def agreement(votes: Sequence[Vote], *, resamples: int = RESAMPLES, seed: int = 0) -> Agreement:
    """Measure agreement; at most one vote for each reviewer and dialogue (see `counting.sift`)."""
    rng = np.random.default_rng(seed)
    by_dialogue: dict[int, dict[str, str]] = {}
    for vote in votes:
        if vote.verdict in DECIDED:
            by_dialogue.setdefault(vote.dialogue_id, {})[vote.reviewer] = vote.verdict
    shared = {number: given for number, given in by_dialogue.items() if len(given) > 1}
    patterns, times = _patterns(shared.values())
    return Agreement(
        len(shared), _alpha(patterns, times, resamples, rng), _pairs(shared, resamples, rng)
    )


def alphas(patterns: Floats, weights: Floats) -> Floats:
    """Return nominal alpha for each row of weights; nan where only one verdict was given.

    `patterns` (P, C): how often each of C verdicts was given to a dialogue of pattern p, two or
    more votes in all. `weights` (B, P): how many dialogues have it in resample b.
    """
    votes = patterns.sum(axis=1)
    same = (patterns * (patterns - 1)).sum(axis=1) / (votes - 1)
    observed = weights @ (votes - same)
    totals = weights @ patterns
    n = totals.sum(axis=1)
    expected = n**2 - (totals**2).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(expected > 0, 1 - (n - 1) * observed / expected, np.nan)


def kappas(tables: Floats) -> Floats:
    """Return Cohen's kappa of each table (B, 2, 2); nan where chance alone makes them agree."""
    n = tables.sum(axis=(1, 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        observed = np.trace(tables, axis1=1, axis2=2) / n
        by_chance = (tables.sum(axis=1) * tables.sum(axis=2)).sum(axis=1) / n**2
        return np.where(by_chance < 1, (observed - by_chance) / (1 - by_chance), np.nan)


def _patterns(dialogues: Iterable[Mapping[str, str]]) -> tuple[Counts, Counts]:
    times = Counter(
        tuple(list(given.values()).count(verdict) for verdict in DECIDED) for given in dialogues
    )
    patterns = sorted(times)
    shape = (len(patterns), len(DECIDED))
    return (
        np.array(patterns, dtype=np.int64).reshape(shape),
        np.array([times[pattern] for pattern in patterns], dtype=np.int64),
    )


def _alpha(patterns: Counts, times: Counts, resamples: int, rng: np.random.Generator) -> Estimate:
    import krippendorff

    used = int((times @ patterns > 0).sum()) if len(patterns) else 0
    if used < 2:  # one verdict only: there is nothing to agree about
        return Estimate(None)
    value = krippendorff.alpha(
        value_counts=np.repeat(patterns, times, axis=0), level_of_measurement="nominal"
    )
    draws = rng.multinomial(times.sum(), times / times.sum(), size=resamples)
    return _interval(float(value), alphas(patterns.astype(float), draws.astype(float)))


def _pairs(
    shared: Mapping[int, Mapping[str, str]], resamples: int, rng: np.random.Generator
) -> list[PairAgreement]:
    tables: dict[tuple[str, str], Floats] = {}
    for given in shared.values():
        for first, second in combinations(sorted(given), 2):
            table = tables.setdefault((first, second), np.zeros((2, 2)))
            table[DECIDED.index(given[first]), DECIDED.index(given[second])] += 1
    found = []
    for both, table in sorted(tables.items()):
        cells, n = table.ravel(), int(table.sum())
        draws = rng.multinomial(n, cells / n, size=resamples).reshape(-1, 2, 2).astype(float)
        value = float(kappas(table[None])[0])
        estimate = _interval(value, kappas(draws)) if np.isfinite(value) else Estimate(None)
        found.append(PairAgreement(both, n, int(np.trace(table)), estimate))
    return found


def _interval(value: float, drawn: Floats) -> Estimate:
    edge = (1 - CONFIDENCE) / 2
    defined = np.isfinite(drawn)
    if defined.mean() < 1 - edge:  # too few dialogues: an end may lie among those left out
        return Estimate(value)
    low, high = np.quantile(drawn[defined], [edge, 1 - edge])
    return Estimate(value, float(low), float(high))
