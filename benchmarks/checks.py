"""The verification checks on real dialogues: false alarms, association, corruptions, speed.

`python -m benchmarks.checks` (with `plain`: without the models). Thresholds and weights come from
the dev split; every rate here is of the published test dialogues that are at hand, or of the
corruptions made from them.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

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
from verification.corruptions import CORRUPTIONS, corrupted
from verification.finding import Checked
from verification.learn.association import examples
from verification.report import rates

MANY = 100_000
WORDS = [f"word{number}" for number in range(4_000)]
WITH_MODELS = ("word salad", "broken English", "talk moved after the share")
CORRUPTED_WITH_MODELS = 100  # dialogues of each kind: a language model reads them


def main() -> None:
    """Measure and report."""
    shared = Path(os.environ.get("PHOTOCHAT_SHARED") or REPOSITORY.parent / "shared")
    path = shared / "data" / "photochat" / "test" / "test_00.json"
    if not path.is_file():
        sys.exit(f"needs the published test dialogues ({path})")
    names = NO_MODELS if sys.argv[1:] == ["plain"] else installed_models()
    claims: list[tuple[str, float, str, float]] = []
    about: dict[str, Any] = {"data": "500 published test dialogues"}
    for title, used in {"words": NO_MODELS, "models": names}.items():
        if title == "models" and names == NO_MODELS:
            continue
        claims += false_alarms(title, path, used, about)
        claims += association(title, read_records(path), used, about)
        claims += recalls(title, read_records(path), used, about)
    claims += speed(path)
    claims += duplicates()
    report("checks", claims, {**about, **machine("wordfreq", "rensa", "harper-py")})


def false_alarms(
    title: str, path: Path, names: ModelNames, about: dict[str, Any]
) -> list[tuple[str, float, str, float]]:
    """Check what people accepted."""
    with tempfile.TemporaryDirectory() as folder:
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
    models = load(ModelNames(names.encoder))
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
    """Check each kind of corruption; found is a `review` or `reject` of the right check."""
    models = load(names)
    claims, rows = [], []
    for kind, (_, checks) in CORRUPTIONS.items():
        if title == "models" and kind not in WITH_MODELS:
            continue
        pairs = corrupted(dialogues, kind)
        pairs = pairs[:CORRUPTED_WITH_MODELS] if title == "models" else pairs
        found = 0
        for _, worse in pairs:
            findings = check_dialogue(worse, models).findings
            found += any(f.check in checks and f.severity != "note" for f in findings)
        rows.append([kind, len(pairs), round(found / len(pairs), 3)])
        claims.append((f"{title}: recall, {kind}", found / len(pairs), ">=", 0.9))
    print_table([f"corruption, {title}", "dialogues", "recall"], rows)
    about[f"{title}: recall"] = {row[0]: row[2] for row in rows}
    return claims


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
