"""Dawid-Skene and the reviewers' quality, on votes whose truth is known."""

from __future__ import annotations

import random

import pytest

from verification.aggregate import aggregate, majority, wilson
from verification.votes import Vote

QUALITY = {"ann": (0.95, 0.97), "bob": (0.9, 0.85), "cat": (0.6, 0.95), "dan": (0.75, 0.7)}


def planted(dialogues: int, overlap: int, seed: int = 1) -> tuple[list[Vote], dict[int, str]]:
    rng = random.Random(seed)
    truth = {n: "reject" if rng.random() < 0.25 else "accept" for n in range(dialogues)}
    votes = []
    for number, answer in truth.items():
        for who in rng.sample(sorted(QUALITY), overlap):
            catches, passes = QUALITY[who]
            is_right = rng.random() < (catches if answer == "reject" else passes)
            said = answer if is_right else {"accept": "reject", "reject": "accept"}[answer]
            votes.append(Vote(number, who, said, seconds=5.0))
    return votes, truth


@pytest.fixture(scope="module")
def fitted():
    votes, truth = planted(1500, 3)
    return votes, truth, aggregate(votes, {})


def test_the_model_recovers_known_qualities(fitted):
    _, truth, found = fitted
    share = sum(answer == "accept" for answer in truth.values()) / len(truth)
    assert found.share_valid == pytest.approx(share, abs=0.05)
    for reviewer in found.reviewers:
        catches, passes = QUALITY[reviewer.reviewer]
        assert reviewer.catches == pytest.approx(catches, abs=0.1)
        assert reviewer.passes == pytest.approx(passes, abs=0.05)
        right = share * passes + (1 - share) * catches
        assert reviewer.right.value == pytest.approx(right, abs=0.04)
        assert reviewer.right.low < reviewer.right.value < reviewer.right.high


def test_the_model_decides_better_than_the_majority(fitted):
    votes, truth, found = fitted
    by_dialogue = {number: [] for number in truth}
    for vote in votes:
        by_dialogue[vote.dialogue_id].append(vote)
    by_model = sum((found.accept[n] > 0.5) == (a == "accept") for n, a in truth.items())
    by_count = sum(majority(by_dialogue[n]) == a for n, a in truth.items())
    assert by_model > by_count


def test_gold_answers_are_taken_as_they_are():
    votes = [Vote(1, who, "accept") for who in ("ann", "bob", "cat")]
    votes += [Vote(n, who, "accept") for n in range(2, 30) for who in ("ann", "bob", "cat")]
    found = aggregate(votes, {1: "reject"})
    assert found.accept[1] == pytest.approx(0, abs=1e-6)
    assert [(r.gold_votes, r.on_gold.value) for r in found.reviewers] == [(1, 0.0)] * 3


def test_one_vote_makes_nobody_perfect():
    found = aggregate([Vote(1, "ann", "reject")], {})
    assert 0.5 < 1 - found.accept[1] < 0.95
    assert found.reviewers[0].catches < 0.95


def test_unsure_votes_are_no_votes():
    found = aggregate([Vote(1, "ann", "unsure"), Vote(1, "bob", "unsure")], {})
    assert found.accept == {}
    assert [(r.votes, r.unsure, r.right.value) for r in found.reviewers] == [(1, 1, None)] * 2
    assert aggregate([], {}).reviewers == []


def test_wilsons_interval_is_the_published_one():
    """Newcombe 1998, table I: 81 of 263."""
    found = wilson(81, 263)
    assert (found.low, found.high) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 0).value is None
