"""Deciding a data set: votes in; accepted and rejected dialogues and a report out, in a folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import msgspec

from photochat.atomic import atomic_folder
from photochat.dialogue import Dialogue
from photochat.errors import DataError
from photochat.records import read_records, write_records
from verification.aggregate import Aggregate, ReviewerQuality, aggregate, wilson
from verification.agreement import Agreement, Estimate, agreement
from verification.counting import sift
from verification.decide import Decision, Rule, decide, rejecting_checks
from verification.decision_report import write_report
from verification.finding import Checked, Severity
from verification.gold import Answer, check_same, read_gold
from verification.identity import by_id, findings_by_id
from verification.review_items import again, write_review_items
from verification.simulated_reviewers import SimulatedReviewer, read_known
from verification.vote_sources import gather

ACCEPTED_FILE = "accepted.jsonl"
REJECTED_FILE = "rejected.jsonl"
DECISIONS_FILE = "decisions.jsonl"
AGAIN_FILE = "again.jsonl"
REPORT_FILE = "report.html"
NUMBERS_FILE = "report.json"


class CheckRecord(msgspec.Struct, frozen=True):
    """A check held against people: of the dialogues it flagged so, how many they rejected."""

    check: str
    severity: Severity
    flagged: int
    decided: int  # of these, by people or known answers
    rejected: Estimate  # share of the decided


class Known(msgspec.Struct, frozen=True):
    """A simulated reviewer: the share they are right by design, on the dialogues as they are."""

    reviewer: str
    right: float
    inside: bool  # the estimate's interval


class LeftOut(msgspec.Struct, frozen=True):
    """Votes that do not count, by why (see `counting.Sifted` and `vote_sources.Gathered`)."""

    unknown: int
    unknown_items: list[int]
    repeated: int
    changed: int
    contradictory: int
    refused: int
    unanswered: int

    @property
    def total(self) -> int:
        """How many."""
        return sum((self.unknown, self.repeated, self.changed, self.contradictory,
                    self.refused, self.unanswered))  # fmt: skip


class Result(msgspec.Struct, frozen=True):
    """Everything the report says."""

    rule: Rule
    dialogues: int
    outcomes: dict[str, int]
    why: dict[str, int]
    reasons: dict[str, int]  # of the rejected, by most frequent reason of each
    against_majority: int  # decided by votes, the other way than most of them
    votes: int
    left_out: LeftOut
    gold: int
    share_valid: float | None
    agreement: Agreement
    reviewers: list[ReviewerQuality]
    checks: list[CheckRecord]
    check_against_people: int  # dialogues that an automatic rejection would have taken from people
    unchecked: int
    known: list[Known]


def decide_files(
    dialogues: str | Path,
    votes: Sequence[str],
    out: str | Path,
    *,
    rule: Rule,
    findings: str | Path | None = None,
    gold: str | Path | None = None,
    known: str | Path | None = None,
    name_of: Callable[[str], str],
    replace: bool = False,
    resamples: int = 1000,
    seed: int = 0,
) -> Result:
    """Read everything, decide every dialogue, and write the folder `out`, whole or not at all.

    `votes` are databases and files (see `vote_sources.gather`); `known` names simulated reviewers'
    qualities, to be held against the estimates.

    Raises:
        DataError: an input cannot be read or does not fit the others.
    """
    _need_libraries()
    found = by_id(read_records(dialogues), file=dialogues)
    items = read_gold(gold) if gold else []
    check_same(items, found)
    answers: dict[int, Answer] = {item.dialogue.dialogue_id: item.answer for item in items}
    checked = findings_by_id(findings) if findings else {}
    _check_names(rule, checked)
    qualities = read_known(known) if known else []
    gathered = gather(votes, name_of)
    sifted = sift(gathered.votes, found.keys() | answers.keys())
    model = aggregate(sifted.votes, answers)
    here = list(found.values())
    decisions = decide(here, sifted.votes, model, checked, answers, rule)
    left_out = LeftOut(
        unknown=sifted.unknown,
        unknown_items=sifted.unknown_items,
        repeated=sifted.repeated,
        changed=sifted.changed,
        contradictory=sifted.contradictory,
        refused=gathered.refused,
        unanswered=gathered.unanswered,
    )
    result = Result(
        rule=rule,
        dialogues=len(decisions),
        outcomes={
            name: sum(d.outcome == name for d in decisions)
            for name in ("accepted", "rejected", "again")
        },
        why=dict(Counter(f"{d.outcome}: {d.why}" for d in decisions).most_common()),
        reasons=dict(Counter(r for d in decisions for r in rejected_for(d)).most_common()),
        against_majority=sum(_against_majority(d) for d in decisions),
        votes=len(sifted.votes),
        left_out=left_out,
        gold=len(answers),
        share_valid=model.share_valid,
        agreement=agreement(sifted.votes, resamples=resamples, seed=seed),
        reviewers=model.reviewers,
        checks=_check_records(decisions, checked),
        check_against_people=sum(
            bool(set(rule.auto_reject) & rejecting_checks([checked[d.dialogue_id]]))
            for d in decisions
            if d.outcome == "accepted" and d.dialogue_id in checked
        ),
        unchecked=len(found.keys() - checked.keys()) if findings else 0,
        known=_known(qualities, model),
    )
    with atomic_folder(out, replace=replace) as folder:
        _write(folder, here, decisions, result)
    return result


def rejected_for(decision: Decision) -> list[str]:
    """Return why a rejected dialogue is: reasons given, most frequent first, else the checks."""
    if decision.outcome != "rejected":
        return []
    if decision.why == "check":
        return decision.auto_rejected
    return list(decision.reasons) or [decision.why]


def _write(
    folder: Path, dialogues: Sequence[Dialogue], decisions: Sequence[Decision], result: Result
) -> None:
    decided = list(zip(dialogues, decisions, strict=True))
    accepted = [dialogue for dialogue, d in decided if d.outcome == "accepted"]
    rejected = [
        msgspec.structs.replace(
            dialogue,
            extra={
                **(dialogue.extra or {}),
                "rejected_by": d.why,
                "rejected_for": rejected_for(d),
            },
        )
        for dialogue, d in decided
        if d.outcome == "rejected"
    ]
    write_records(folder / ACCEPTED_FILE, accepted)
    write_records(folder / REJECTED_FILE, rejected)
    with (folder / DECISIONS_FILE).open("wb") as file:
        for decision in decisions:
            file.write(msgspec.json.encode(decision) + b"\n")
    write_review_items(folder / AGAIN_FILE, again(decisions, result.rule))
    numbers = msgspec.json.format(msgspec.json.encode(result), indent=2)
    (folder / NUMBERS_FILE).write_bytes(numbers + b"\n")
    write_report(folder / REPORT_FILE, result, decisions)


def _need_libraries() -> None:
    for module, package in (("crowdkit", "crowd-kit"), ("krippendorff", "krippendorff")):
        if find_spec(module) is None:
            raise DataError(f"{package} is not installed: pip install 'photochat-toolkit[verify]'")


def _check_names(rule: Rule, checked: Mapping[int, Checked]) -> None:
    if rule.auto_reject and not checked:
        raise DataError("needs --findings: checks reject by what they found", field="--auto-reject")
    found = {finding.check for one in checked.values() for finding in one.findings}
    unknown = set(rule.auto_reject) - found
    if unknown:
        from verification.check import NAMES

        for name in sorted(unknown - set(NAMES)):
            raise DataError(
                f"{name!r} is no check: there are {', '.join(sorted(found | set(NAMES)))}",
                field="--auto-reject",
            )


def _against_majority(decision: Decision) -> bool:
    sides = {"accept": "accepted", "reject": "rejected"}
    return (
        decision.why == "votes"
        and decision.majority is not None
        and sides[decision.majority] != decision.outcome
    )


def _check_records(
    decisions: Sequence[Decision], checked: Mapping[int, Checked]
) -> list[CheckRecord]:
    flagged: Counter[tuple[str, Severity]] = Counter()
    decided: Counter[tuple[str, Severity]] = Counter()
    rejected: Counter[tuple[str, Severity]] = Counter()
    for decision in decisions:
        one = checked.get(decision.dialogue_id)
        for key in {(f.check, f.severity) for f in (one.findings if one else ())}:
            flagged[key] += 1
            if decision.why in ("votes", "gold"):
                decided[key] += 1
                rejected[key] += decision.outcome == "rejected"
    return [
        CheckRecord(*key, flagged[key], decided[key], wilson(rejected[key], decided[key]))
        for key in sorted(flagged)
    ]


def _known(qualities: Sequence[SimulatedReviewer], model: Aggregate) -> list[Known]:
    """Hold what is known against the estimates, for the mix of dialogues that the model sees."""
    of = {quality.reviewer: quality for quality in model.reviewers}
    share = model.share_valid
    rows = []
    for simulated in qualities:
        quality = of.get(simulated.name)
        if quality is None or share is None or quality.right.low is None:
            continue
        right = share * simulated.passes + (1 - share) * simulated.catches
        assert quality.right.high is not None
        inside = quality.right.low <= right <= quality.right.high
        rows.append(Known(simulated.name, right, inside))
    return rows
