"""The rules of deciding."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verification.decide import Rule, decide_one
from verification.finding import Checked, Finding
from verification.outcome import rejected_for
from verification.review_items import again
from verification.votes import VERDICTS, Vote

RULE = Rule()
TYPOS = Checked(1, (Finding("typos", "reject", "many"), Finding("shouting", "note", "loud")))
CASES = [
    # votes, probability, gold, rule, outcome, why
    ("aa", 0.97, None, RULE, "accepted", "votes"),
    ("rr", 0.02, None, RULE, "rejected", "votes"),
    ("", None, None, RULE, "again", "not reviewed"),
    ("a", 0.99, None, RULE, "again", "too few votes"),
    ("auu", 0.99, None, RULE, "again", "too few votes"),
    ("ar", 0.95, None, RULE, "again", "tie"),
    ("aar", 0.8, None, RULE, "again", "low confidence"),
    ("aar", 0.03, None, RULE, "rejected", "votes"),  # two poor reviewers against a good one
    ("aarr", 0.5, None, Rule(give_up_after=4), "rejected", "no agreement"),
    ("arr", 0.5, None, Rule(give_up_after=4), "again", "low confidence"),
    ("aar", 0.03, None, Rule("majority", 0.6), "accepted", "votes"),
    ("aar", 0.03, None, Rule("majority", 0.7), "again", "low confidence"),
    ("rr", 0.02, "accept", RULE, "accepted", "gold"),
    ("", None, None, Rule(auto_reject=("typos",)), "rejected", "check"),
    ("aa", 0.97, None, Rule(auto_reject=("typos",)), "accepted", "votes"),  # people decide
    ("", None, None, Rule(auto_reject=("shouting",)), "again", "not reviewed"),  # only a note
]
WORDS = {"a": "accept", "r": "reject", "u": "unsure"}


@pytest.mark.parametrize(("said", "accept", "gold", "rule", "outcome", "why"), CASES)
def test_a_dialogue_is_decided_by_the_rule(said, accept, gold, rule, outcome, why):
    votes = [Vote(1, f"r{i}", WORDS[letter]) for i, letter in enumerate(said)]
    decision = decide_one(1, votes, accept, TYPOS, gold, rule)
    assert (decision.outcome, decision.why) == (outcome, why)


def test_an_automatic_rejection_names_the_checks_that_may_reject():
    graver = (Finding("no-share", "reject", "none"), *TYPOS.findings)
    rule = Rule(auto_reject=("typos",))
    decision = decide_one(1, (), None, Checked(1, graver), None, rule)
    assert (decision.why, rejected_for(decision)) == ("check", ["typos"])
    people = decide_one(1, [Vote(1, w, "reject") for w in "ab"], 0.01, TYPOS, None, rule)
    assert (people.why, people.auto_rejected) == ("votes", [])


@given(
    st.lists(st.sampled_from(VERDICTS), max_size=6),
    st.floats(0, 1),
    st.sampled_from([None, TYPOS]),
    st.floats(0.5, 1),
)
def test_nothing_is_rejected_or_accepted_without_enough_confident_people(
    said, accept, checked, least
):
    votes = [Vote(1, f"r{i}", verdict) for i, verdict in enumerate(said)]
    rule = Rule(confidence=least)
    decision = decide_one(1, votes, accept, checked, None, rule)
    if decision.outcome != "again":
        assert sum(verdict != "unsure" for verdict in said) >= rule.min_votes
        assert decision.confidence >= least
        assert said.count("accept") != said.count("reject")
    else:
        [item] = again([decision], rule)
        assert item.wanted > len(said) or not said
        assert item.wanted >= rule.min_votes


def test_reasons_count_only_from_votes_that_reject():
    votes = [
        Vote(1, "a", "reject", ("typos",)),
        Vote(1, "b", "reject", ("unnatural", "typos"), comment="see turn 3"),
        Vote(1, "c", "unsure", ("inappropriate",)),
    ]
    decision = decide_one(1, votes, 0.01, TYPOS, None, RULE)
    assert decision.reasons == {"typos": 2, "unnatural": 1}
    assert decision.checks == ["typos", "shouting"]
    assert decision.comments == ["see turn 3"]
