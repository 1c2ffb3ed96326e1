"""What several votes say together: majority, Dawid-Skene, and how good each reviewer is.

Dawid and Skene's model (1979, https://doi.org/10.2307/2346806; crowd-kit's implementation) weighs
each vote by how often its reviewer is right on either kind of dialogue, and learns both at once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import median

import msgspec

from verification.agreement import DECIDED, Estimate
from verification.gold import Answer
from verification.votes import Vote

Z = 1.959964  # of a 95% interval
# Every reviewer begins with these votes on pretended dialogues of either kind, so that one vote
# makes nobody perfect, and "accept" keeps meaning accept when reviewers disagree about most.
PRETENDED = 4
PRETENDED_RIGHT = 3
ITERATIONS = 200


class ReviewerQuality(msgspec.Struct, frozen=True):
    """One reviewer's votes and how good they are; all shares are of votes that were not unsure.

    `catches` and `passes` are the model's shares of invalid dialogues that they reject and of valid
    ones that they accept; `right` is of all. `on_gold` is counted, not modelled. `with_others` is
    how often they vote as most of the others do on that dialogue.
    """

    reviewer: str
    votes: int
    unsure: int
    seconds: float | None  # median for a dialogue
    gold_votes: int
    on_gold: Estimate
    catches: float | None
    passes: float | None
    right: Estimate
    with_others: Estimate


class Aggregate(msgspec.Struct, frozen=True):
    """`accept` is each dialogue's probability to be valid; without decided votes it has none."""

    accept: dict[int, float]
    share_valid: float | None
    reviewers: list[ReviewerQuality]


def majority(votes: Sequence[Vote]) -> Answer | None:
    """Return what most of the decided votes say; None for a tie or no vote."""
    lead = sum((vote.verdict == "accept") - (vote.verdict == "reject") for vote in votes)
    return None if lead == 0 else "accept" if lead > 0 else "reject"


def aggregate(votes: Sequence[Vote], gold: Mapping[int, Answer]) -> Aggregate:
    """Fit the model on votes, at most one for each reviewer and dialogue (see `counting.sift`).

    `gold` has the answers that are known; the model takes them as they are.
    """
    decided = [vote for vote in votes if vote.verdict in DECIDED]
    if not decided:
        return Aggregate({}, None, [_quality(name, given, {}, {}, gold, None)
                                    for name, given in _by_reviewer(votes).items()])  # fmt: skip
    accept, catches, passes = _dawid_skene(decided, gold)
    of_dialogue: dict[int, list[Vote]] = {}
    for vote in decided:
        of_dialogue.setdefault(vote.dialogue_id, []).append(vote)
    reviewers = [
        _quality(name, given, accept, of_dialogue, gold, (catches[name], passes[name]))
        if name in catches
        else _quality(name, given, accept, of_dialogue, gold, None)
        for name, given in _by_reviewer(votes).items()
    ]
    return Aggregate(accept, sum(accept.values()) / len(accept), reviewers)


def wilson(right: float, n: float) -> Estimate:
    """Return a share with its 95% interval by Wilson's score; `n` may be an effective count."""
    if n <= 0:
        return Estimate(None)
    share = right / n
    centre = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z * math.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2)) / (1 + Z**2 / n)
    return Estimate(share, max(0.0, centre - half), min(1.0, centre + half))


def _by_reviewer(votes: Sequence[Vote]) -> dict[str, list[Vote]]:
    found: dict[str, list[Vote]] = {}
    for vote in sorted(votes, key=lambda vote: vote.reviewer):
        found.setdefault(vote.reviewer, []).append(vote)
    return found


def _dawid_skene(
    decided: Sequence[Vote], gold: Mapping[int, Answer]
) -> tuple[dict[int, float], dict[str, float], dict[str, float]]:
    """Return each dialogue's probability of "accept", and what each reviewer catches and passes."""
    import pandas as pd
    from crowdkit.aggregation.classification.dawid_skene import DawidSkene

    place = {number: i for i, number in enumerate(sorted({v.dialogue_id for v in decided}))}
    rows: list[tuple[int, str, str]] = [
        (place[vote.dialogue_id], vote.reviewer, vote.verdict) for vote in decided
    ]
    truth: dict[int, str] = {place[n]: answer for n, answer in gold.items() if n in place}
    reviewers = sorted({vote.reviewer for vote in decided})
    for kind, answer in enumerate(DECIDED):
        for number in range(PRETENDED):
            task = len(place) + kind * PRETENDED + number
            truth[task] = answer
            given = answer if number < PRETENDED_RIGHT else DECIDED[1 - kind]
            rows += [(task, name, given) for name in reviewers]
    model = DawidSkene(n_iter=ITERATIONS)
    model.fit(pd.DataFrame(rows, columns=["task", "worker", "label"]), pd.Series(truth))
    probabilities, errors = model.probas_, model.errors_
    assert probabilities is not None
    assert errors is not None
    column = probabilities["accept"].to_dict()
    rates = errors.to_dict("index")  # by (reviewer, given): {true: share}
    accept = {number: float(column[i]) for number, i in place.items()}
    catches = {name: float(rates[name, "reject"]["reject"]) for name in reviewers}
    passes = {name: float(rates[name, "accept"]["accept"]) for name in reviewers}
    return accept, catches, passes


def _quality(
    name: str,
    given: Sequence[Vote],
    accept: Mapping[int, float],
    of_dialogue: Mapping[int, Sequence[Vote]],
    gold: Mapping[int, Answer],
    modelled: tuple[float, float] | None,
) -> ReviewerQuality:
    decided = [vote for vote in given if vote.verdict in DECIDED]
    on_gold = [vote for vote in decided if vote.dialogue_id in gold]
    seconds = [vote.seconds for vote in given if vote.seconds is not None]
    right = known = 0.0
    same = compared = 0
    for vote in decided:
        p = accept[vote.dialogue_id]
        right += p if vote.verdict == "accept" else 1 - p
        known += (2 * p - 1) ** 2  # a dialogue of which the model knows nothing tells nothing
        others = majority([v for v in of_dialogue[vote.dialogue_id] if v.reviewer != name])
        same += others == vote.verdict
        compared += others is not None
    return ReviewerQuality(
        reviewer=name,
        votes=len(given),
        unsure=len(given) - len(decided),
        seconds=median(seconds) if seconds else None,
        gold_votes=len(on_gold),
        on_gold=wilson(sum(v.verdict == gold[v.dialogue_id] for v in on_gold), len(on_gold)),
        catches=modelled[0] if modelled else None,
        passes=modelled[1] if modelled else None,
        right=wilson(known * right / len(decided), known) if decided else Estimate(None),
        with_others=wilson(same, compared),
    )
