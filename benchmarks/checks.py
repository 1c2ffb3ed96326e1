"""The verification checks on real dialogues: false alarms, association, corruptions, speed.

`python -m benchmarks.checks` (`--small`: without models, two minutes for half an hour). Thresholds
and weights come from the dev split; every rate here is of the published test dialogues that are at
hand, or of the corruptions made from them. The language model reads two dialogues a
second on a core: it reads each accepted dialogue once, and a hundred of each corruption.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from benchmarks.dialogues import REPOSITORY
from benchmarks.report import machine, report
from photochat.cli.output import print_table
from photochat.dialogue import Dialogue, Turn
from photochat.records import read_records, write_records
from verification.association.candidates import CANDIDATES, area
from verification.check import (
    NO_MODELS,
    ModelNames,
    check,
    check_dialogue,
    installed_models,
    load,
)
from verification.checks.duplicates import near_duplicates
from verification.checks.rules import RULES
from verification.checks.typos import weigh
from verification.corruptions import CORRUPTIONS, corrupted
from verification.finding import Checked
from verification.learn.association import examples
from verification.report import rates
from verification.talk import Talk

MANY = 100_000
WORDS = [f"word{number}" for number in range(4_000)]
READ, ASSOCIATED = ("fluency", "association")  # the checks that have models
CORRUPTED_WITH_MODELS = 100  # dialogues of each kind
PROFILED = 40
TYPO_KINDS = [kind for kind, (_, checks) in CORRUPTIONS.items() if checks == ("typos",)]
loaded = cache(load)  # a language model takes as long to open as to read forty dialogues
FALSE_ALARMS = (0.02, 0.04, 0.06, 0.1, 0.2)


def main() -> None:
    """Measure and report."""
    shared = Path(os.environ.get("PHOTOCHAT_SHARED") or REPOSITORY.parent / "shared")
    path = shared / "data" / "photochat" / "test" / "test_00.json"
    if not path.is_file():
        sys.exit(f"needs the published test dialogues ({path})")
    small = sys.argv[1:] == ["--small"]
    names = NO_MODELS if small else installed_models()
    claims: list[tuple[str, float, str, float]] = []
    about: dict[str, Any] = {"data": "500 published test dialogues"}
    for title, used in {"words": NO_MODELS, "models": names}.items():
        if title == "models" and names == NO_MODELS:
            continue
        dialogues = read_records(path)
        claims += false_alarms(title, dialogues, used, about)
        claims += association(title, dialogues, used, about)
        claims += recalls(title, dialogues, used, about)
        if title == "models":
            claims += profile(dialogues[:PROFILED], used)
    typo_curve(read_records(path), about)
    claims += speed(path)
    claims += duplicates()
    report(
        "checks_small" if small else "checks",
        claims,
        {**about, **machine("wordfreq", "rensa", "harper-py")},
    )


def false_alarms(
    title: str, dialogues: list[Dialogue], names: ModelNames, about: dict[str, Any]
) -> list[tuple[str, float, str, float]]:
    """Check what people accepted."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "raw.jsonl"
        write_records(path, dialogues)
        start = time.perf_counter()
        checked = check(path, Path(folder) / "findings.jsonl", names).checked
        seconds = time.perf_counter() - start
    rows = rates(checked)
    print(
        f"\n{title}: {len(checked)} accepted dialogues in {seconds:.1f} s, workers' start counted"
    )
    print_table(["check", "reject", "review", "note", "% review or worse"], rows)
    about[f"{title}: % review or worse by check"] = {row.check: row.percent for row in rows}
    return [
        (f"{title}: % reject but for broken rules", share(checked, ("reject",)), "<=", 2),
        (f"{title}: % review or worse", share(checked, ("reject", "review"), ()), "<=", 20),
    ]


def share(
    checked: list[Checked], severities: tuple[str, ...], but: tuple[str, ...] = tuple(RULES)
) -> float:
    """Return the percentage of dialogues with such a finding of a check not in `but`."""
    flagged = sum(
        any(f.severity in severities and f.check not in but for f in one.findings)
        for one in checked
    )
    return 100 * flagged / len(checked)


def association(
    title: str, dialogues: list[Dialogue], names: ModelNames, about: dict[str, Any]
) -> list[tuple[str, float, str, float]]:
    """Rank each dialogue's photo among all; ties count half."""
    models = loaded(ModelNames(names.encoder))
    some = examples(dialogues)
    found = {}
    for name, (needs_model, candidate) in CANDIDATES.items():
        if needs_model == (models.encode is not None):
            found[name] = round(area(candidate(some, models.encode)), 4)
    print_table([f"association, {title}", "AUC"], [[name, f"{v:.3f}"] for name, v in found.items()])
    about[f"{title}: AUC"] = found
    limit = 0.76 if models.encode is None else 0.87
    return [(f"{title}: association AUC, no persona", found[next(reversed(found))], ">=", limit)]


def recalls(
    title: str, dialogues: list[Dialogue], names: ModelNames, about: dict[str, Any]
) -> list[tuple[str, float, str, float]]:
    """Check each kind of corruption; found is a `review` or `reject` of the right check.

    With models, a hundred dialogues of kinds whose checks have one: the others come out the same.
    """
    every = loaded(names)
    claims, rows = [], []
    for kind, (_, checks) in CORRUPTIONS.items():
        models, pairs = every, corrupted(dialogues, kind)
        if title == "models":
            if not {READ, ASSOCIATED} & set(checks):
                continue
            pairs = pairs[:CORRUPTED_WITH_MODELS]
            unused = "encode" if READ in checks else "surprise"
            models = models._replace(**{unused: None})
        found = 0
        for _, worse in pairs:
            findings = check_dialogue(worse, models).findings
            found += any(f.check in checks and f.severity != "note" for f in findings)
        rows.append([kind, len(pairs), round(found / len(pairs), 3)])
        claims.append((f"{title}: recall, {kind}", found / len(pairs), ">=", 0.9))
    print_table([f"corruption, {title}", "dialogues", "recall"], rows)
    about[f"{title}: recall"] = {row[0]: row[2] for row in rows}
    return claims


def typo_curve(dialogues: list[Dialogue], about: dict[str, Any]) -> None:
    """Show what the typo check would find at other false alarms than its threshold's."""
    sound = np.array([weigh(Talk(dialogue))[0] for dialogue in dialogues])
    limits = {share: float(np.quantile(sound, 1 - share)) for share in FALSE_ALARMS}
    rows = []
    for kind in TYPO_KINDS:
        worse = np.array([weigh(Talk(one))[0] for _, one in corrupted(dialogues, kind)])
        rows.append([kind, *(round(float((worse > limit).mean()), 3) for limit in limits.values())])
    heads = [f"{share:.0%} false alarms" for share in limits]
    print_table(["recall of typos at", *heads], rows)
    about["typos: recall at false alarms"] = {
        row[0]: dict(zip(heads, row[1:], strict=True)) for row in rows
    }


def profile(dialogues: list[Dialogue], names: ModelNames) -> list[tuple[str, float, str, float]]:
    """Say how much of the time with models is the models'."""
    models, spent = loaded(names), [0.0]

    def timed(model: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            start = time.perf_counter()
            answer = model(*arguments)
            spent[0] += time.perf_counter() - start
            return answer

        return run

    assert models.encode is not None
    assert models.surprise is not None
    models = models._replace(encode=timed(models.encode), surprise=timed(models.surprise))
    check_dialogue(dialogues[0], models)
    spent[0], start = 0.0, time.perf_counter()
    for dialogue in dialogues[1:]:
        check_dialogue(dialogue, models)
    share = spent[0] / (time.perf_counter() - start)
    return [("models: share of the time that is the models'", share, ">=", 0.9)]


def speed(path: Path) -> list[tuple[str, float, str, float]]:
    """Check 6,000 dialogues on all cores, by repeating the real ones."""
    real = read_records(path)
    many = [msgspec.structs.replace(real[i % len(real)], dialogue_id=i) for i in range(6_000)]
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "raw.jsonl"
        write_records(source, many)
        start = time.perf_counter()
        check(source, Path(folder) / "findings.jsonl")
        rate = len(many) / (time.perf_counter() - start)
    return [("dialogues per second without models, start counted", rate, ">=", 300)]


def duplicates() -> list[tuple[str, float, str, float]]:
    """Find the copies among 100,000 made-up dialogues, one in a hundred a changed copy."""
    draw = random.Random(0)
    made: list[Dialogue] = []
    copies = 0
    for number in range(MANY):
        if number % 100 == 99:
            turns = list(made[number - 50].turns)
            turns[3] = Turn("something else is said here", False, 1)
            copies += 1
        else:
            turns = [Turn(" ".join(draw.choices(WORDS, k=8)), False, i % 2) for i in range(10)]
        made.append(Dialogue(tuple(turns), number, "Objects in the photo: Cake", ""))
    start = time.perf_counter()
    found = near_duplicates(made)
    seconds = time.perf_counter() - start
    right = sum(number in found for number in range(99, MANY, 100))
    print(f"\nnear-duplicates: {right} of {copies} copies found, {len(found) - 2 * right} others")
    return [
        ("seconds for near-duplicates among 100,000", seconds, "<=", 120),
        ("changed copies found", right / copies, ">=", 0.9),
    ]


if __name__ == "__main__":
    main()
