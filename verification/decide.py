"""The rules by which votes, known answers and checks decide a dialogue. Pure: no file, no clock.

People decide. A tie, a low confidence or too few votes send a dialogue back for another vote; a
check rejects by itself only if it is named for that, and only what people have not decided.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Literal

import msgspec

from photochat.dialogue import Dialogue
from verification.aggregate import Aggregate, majority
from verification.finding import SEVERITIES, Checked
from verification.gold import Answer
from verification.votes import REASONS, VERDICTS, Vote

Method = Literal["dawid-skene", "majority"]
Outcome = Literal["accepted", "rejected", "again"]
Why = Literal[
    "gold",  # the right answer was known
    "votes",  # people agree well enough
    "no agreement",  # rejected: too many votes have not settled it
    "check",  # rejected: by a check that may
    "not reviewed",  # again: nobody has voted
    "too few votes",
    "tie",
    "low confidence",
]


class Rule(msgspec.Struct, frozen=True):
    """How votes decide. `give_up_after` votes an unsettled dialogue is rejected; None: never."""

    method: Method = "dawid-skene"
    confidence: float = 0.9  # ours: two reviewers who are right nine times in ten reach 0.99
    min_votes: int = 2
    give_up_after: int | None = None
    auto_reject: tuple[str, ...] = ()


class Decision(msgspec.Struct, frozen=True):
    """What becomes of a dialogue, and why. `votes` counts each verdict, `reasons` those given."""

    dialogue_id: int
    outcome: Outcome
    why: Why
    confidence: float | None  # of the more probable verdict, by the rule's method
    majority: Answer | None
    votes: dict[str, int]
    reviewers: list[str]  # whose votes these are
    reasons: dict[str, int]
    checks: list[str]  # that found something, gravest severity first
    auto_rejected: list[str]  # the checks by which it is rejected; empty unless `why` is "check"
    comments: list[str]


def decide(
    dialogues: Sequence[Dialogue],
    votes: Sequence[Vote],
    aggregate: Aggregate,
    findings: Mapping[int, Checked],
    gold: Mapping[int, Answer],
    rule: Rule,
) -> list[Decision]:
    """Decide every dialogue, in their order. `votes` are those that count (`counting.sift`)."""
    of_dialogue: dict[int, list[Vote]] = {}
    for vote in votes:
        of_dialogue.setdefault(vote.dialogue_id, []).append(vote)
    return [
        decide_one(
            dialogue.dialogue_id,
            of_dialogue.get(dialogue.dialogue_id, ()),
            aggregate.accept.get(dialogue.dialogue_id),
            findings.get(dialogue.dialogue_id),
            gold.get(dialogue.dialogue_id),
            rule,
        )
        for dialogue in dialogues
    ]


def decide_one(
    dialogue_id: int,
    votes: Sequence[Vote],
    accept: float | None,
    checked: Checked | None,
    answer: Answer | None,
    rule: Rule,
) -> Decision:
    """Decide one dialogue; `accept` is the model's probability that it is valid."""
    verdicts = Counter(vote.verdict for vote in votes)
    decided = verdicts["accept"] + verdicts["reject"]
    most = majority(votes)
    if rule.method == "majority":
        accept = verdicts["accept"] / decided if decided else None
    confidence = None if accept is None else max(accept, 1 - accept)
    outcome, why = _by_votes(len(votes), decided, most, accept, confidence, rule)
    may_reject = sorted(_rejecting(checked) & set(rule.auto_reject))
    if answer is not None:
        outcome, why = ("accepted" if answer == "accept" else "rejected"), "gold"
    elif outcome == "again" and may_reject:
        outcome, why = "rejected", "check"
    findings = checked.findings if checked else ()
    ordered = sorted(findings, key=lambda f: SEVERITIES.index(f.severity))
    return Decision(
        dialogue_id=dialogue_id,
        outcome=outcome,
        why=why,
        confidence=confidence,
        majority=most,
        votes={verdict: verdicts[verdict] for verdict in VERDICTS},
        reviewers=[vote.reviewer for vote in votes],
        reasons=count_reasons(votes),
        checks=list(dict.fromkeys(finding.check for finding in ordered)),
        auto_rejected=may_reject if why == "check" else [],
        comments=[vote.comment for vote in votes if vote.comment],
    )


def count_reasons(votes: Sequence[Vote]) -> dict[str, int]:
    """Count the reasons of the votes that reject, the most frequent first."""
    given = Counter(reason for vote in votes if vote.verdict == "reject" for reason in vote.reasons)
    listed = [(reason, given[reason]) for reason in REASONS if given[reason]]
    return dict(sorted(listed, key=lambda item: -item[1]))


def rejecting_checks(findings: Collection[Checked]) -> set[str]:
    """Return the names of the checks that found something of severity `reject`."""
    return {name for checked in findings for name in _rejecting(checked)}


def _rejecting(checked: Checked | None) -> set[str]:
    findings = checked.findings if checked else ()
    return {finding.check for finding in findings if finding.severity == "reject"}


def _by_votes(
    votes: int,
    decided: int,
    most: Answer | None,
    accept: float | None,
    confidence: float | None,
    rule: Rule,
) -> tuple[Outcome, Why]:
    if not votes:
        return "again", "not reviewed"
    unsettled: Why | None = None
    if decided < rule.min_votes:
        unsettled = "too few votes"
    elif most is None:
        unsettled = "tie"
    elif confidence is None or confidence < rule.confidence:
        unsettled = "low confidence"
    if unsettled is None:
        assert accept is not None
        return ("accepted" if accept > 0.5 else "rejected"), "votes"
    if rule.give_up_after is not None and votes >= rule.give_up_after:
        return "rejected", "no agreement"
    return "again", unsettled
