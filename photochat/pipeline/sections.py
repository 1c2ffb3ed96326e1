"""What the report says, section by section, from what the commands answered and the files hold.

A section whose stages have not run is None, and the page leaves it out.
"""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from photochat.dialogue import Dialogue
from photochat.errors import DataError
from photochat.images import image_path
from photochat.records import read_records
from photochat.release import read_release
from photochat.themes import THEMES

if TYPE_CHECKING:
    from photochat.pipeline.run import Pipeline

SHOWN_ACCEPTED, SHOWN_REJECTED = 4, 2
SHOWN_QUERIES, SHOWN_FOUND, SHOWN_TURNS = 6, 5, 4
Values = dict[str, Any]


class Answers:
    """What the stages that are finished have left."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.settings = pipeline.settings
        self.places = pipeline.places
        self._stages = {s.name: s for s in pipeline.stages if s.name in pipeline.state.finished}

    def of(self, name: str) -> Values | None:
        """Return what a stage's command answered, or None."""
        stage = self._stages.get(name)
        if stage is None or stage.answer is None or not stage.answer.is_file():
            return None
        return _json(stage.answer)

    def has(self, name: str) -> bool:
        """Say whether a stage has finished."""
        return name in self._stages


def sections(answers: Answers) -> Values:
    """Return the page's sections by name."""
    return {
        "funnel": funnel(answers),
        "money": money(answers),
        "tables": answers.of("stats"),
        "plots": plots(answers),
        "sheet": answers.places.out / "contact-sheet.png",
        "themes": THEMES,
        "checks": checks(answers),
        "decided": answers.of("decide"),
        "examples": examples(answers),
        "models": models(answers),
        "next_steps": next_steps(answers),
        "more": more(answers),
    }  # fmt: skip


def plots(answers: Answers) -> list[Path]:
    """Return the drawings of the release that are shown."""
    if not (answers.settings.plots and answers.has("stats")):
        return []
    folder = answers.places.out / "plots"
    return [folder / "turns_before_share.svg", folder / "themes.svg"]


def funnel(answers: Answers) -> list[Values]:
    """Return from boxes to the release: what is counted, how many, of what, and what was lost.

    Bars are lengths in percent of the largest number of the same unit.
    """
    rows: list[tuple[str, str, int, str]] = []
    filtered, decided = answers.of("filter"), answers.of("decide")
    if filtered:
        of = filtered["funnel"]
        dropped = of["images_dropped_people_at_margin"] + of["images_dropped_people_too_small"]
        rows += [
            ("boxes", "boxes read", of["boxes_read"], "of Open Images' annotations"),
            ("photos", "photos read", of["images_read"], ""),
            ("photos", "show something people share", of["images_with_theme_label"],
             "a label of the paper's Table 5"),
            ("photos", "in the pool", of["photos_kept"],
             f"{dropped:,} have people at the margin or too small" if dropped else ""),
        ]  # fmt: skip
    collected = answers.of("collect")
    if collected:
        export, outcomes = collected["export"], collected["simulate"]["outcomes"]
        went = ", ".join(f"{count:,} {name}" for name, count in outcomes.items())
        rows.append(("dialogues", "begun", export["dialogues"] + export["left_out"],
                     f"{collected['simulate']['workers']:,} workers: {went}"))  # fmt: skip
    if answers.places.raw.is_file():
        rows.append(("dialogues", "whole", len(_dialogues(answers.places.raw)), ""))
    if decided:
        outcomes = decided["outcomes"]
        rows.append(
            (
                "dialogues",
                "accepted by reviewers",
                outcomes["accepted"],
                f"{outcomes['rejected']:,} rejected, {outcomes['again']:,} need another vote",
            )
        )
    cut = answers.of("split")
    if cut:
        rows.append(
            (
                "dialogues",
                "in the release",
                sum(cut["dialogues"].values()),
                ", ".join(f"{count:,} {name}" for name, count in cut["dialogues"].items()),
            )
        )
    most = Counter[str]()
    for unit, _, count, _ in rows:
        most[unit] = max(most[unit], count, 1)
    return [
        {"unit": unit, "name": name, "count": count, "why": why, "bar": 100 * count / most[unit]}
        for unit, name, count, why in rows
    ]  # fmt: skip


def money(answers: Answers) -> Values | None:
    """Return what was estimated, what was spent, and what an hour paid."""
    asked, collected = answers.settings.collect, answers.of("collect")
    base = answers.places.base
    if collected:
        estimate, books = collected["estimate"], collected["reconcile"]
    elif asked.estimate and asked.reconcile:
        estimate = _json(base / asked.estimate, "currency", "expected", "worst", "budget", "kinds")
        books = _json(base / asked.reconcile, "ledger_spent", "platform_spent", "differences")
    else:
        return None
    spent = float(books["ledger_spent"])
    decided = answers.of("decide")
    accepted = decided["outcomes"]["accepted"] if decided else 0
    return {
        "currency": estimate["currency"],
        "expected": float(estimate["expected"]),
        "worst": float(estimate["worst"]),
        "budget": float(estimate["budget"]),
        "spent": spent,
        "platform": float(books["platform_spent"]),
        "differences": len(books["differences"]),
        "each": spent / accepted if accepted else None,
        "accepted": accepted,
        "kinds": estimate["kinds"],
        "rehearsed": collected is not None,
    }


def checks(answers: Answers) -> Values | None:
    """Return how often each check found something, the most frequent first."""
    if not answers.has("check"):
        return None
    worst: dict[str, Counter[str]] = {}
    dialogues = 0
    for line in (answers.places.out / "findings.jsonl").read_bytes().splitlines():
        dialogues += 1
        of_dialogue: dict[str, set[str]] = {}
        for finding in msgspec.json.decode(line).get("findings", ()):
            of_dialogue.setdefault(finding["check"], set()).add(finding["severity"])
        for check, found in of_dialogue.items():
            strongest = next(s for s in ("reject", "review", "note") if s in found)
            worst.setdefault(check, Counter())[strongest] += 1
    rows = sorted(worst.items(), key=lambda item: -item[1].total())
    return {"dialogues": dialogues, "rows": rows}


def examples(answers: Answers) -> list[Values]:
    """Return some accepted and some rejected dialogues, with their photos."""
    if not answers.places.accepted.is_file():
        return []
    draw = random.Random(answers.settings.seed)  # noqa: S311 - which ones are shown is no secret
    rejected = answers.places.accepted.with_name("rejected.jsonl")
    shown = []
    for file, most, is_good in (
        (answers.places.accepted, SHOWN_ACCEPTED, True),
        (rejected, SHOWN_REJECTED, False),
    ):
        if not is_good and not (answers.has("decide") and file.is_file()):
            continue
        found = _dialogues(file)
        for dialogue in draw.sample(found, min(most, len(found))):
            reasons = (dialogue.extra or {}).get("rejected_for") or ()
            shown.append({"dialogue": dialogue, "good": is_good, "reasons": reasons,
                          "file": _picture(dialogue.photo_id, answers.places.images)})  # fmt: skip
    return shown


def models(answers: Answers) -> Values:
    """Return what was measured of each model that was."""
    return {
        "bm25": answers.of("bm25"),
        "intent": answers.of("intent-test"),
        "retrieval": answers.of("retrieval-test"),
        "gallery": gallery(answers),
    }


def gallery(answers: Answers) -> list[Values]:
    """Return some queries of the test split beside the photos that were found, best first.

    A fair look, not the best or the worst: queries at equal distances of the ranks.
    """
    file = answers.places.out / "retrieval" / "ranks" / "test.json"
    if not (answers.has("retrieval-test") and file.is_file()):
        return []
    ranks = _json(file)
    of_id = {d.dialogue_id: d for d in read_release(answers.places.release).split("test")}
    order = sorted(range(len(ranks["ranks"])), key=lambda place: (ranks["ranks"][place], place))
    shown = []
    for place in order[:: max(1, len(order) // SHOWN_QUERIES)][:SHOWN_QUERIES]:
        dialogue, gold = of_id[ranks["dialogue_ids"][place]], ranks["photos"][place]
        found = [
            {"file": _picture(key, answers.places.images), "right": key == gold, "name": key}
            for key in ranks["best"][place][:SHOWN_FOUND]
        ]
        shown.append({"dialogue": dialogue, "rank": ranks["ranks"][place], "found": found,
                      "said": dialogue.before_share[-SHOWN_TURNS:],
                      "gold": _picture(gold, answers.places.images)})  # fmt: skip
    return shown


def next_steps(answers: Answers) -> list[tuple[str, str]]:
    """Return what somebody may do now: a reason, and a command."""
    steps = []
    collected, decided = answers.of("collect"), answers.of("decide")
    if collected:
        steps.append(
            ("Collect with people: write your campaign file, rehearse it, then launch it.",
             "photochat campaign launch --config campaign.toml --dry-run")
        )  # fmt: skip
    if decided and decided["outcomes"]["again"]:
        again = answers.places.out / "decisions" / "again.jsonl"
        steps.append(
            (
                f"{decided['outcomes']['again']:,} dialogues need another vote.",
                f"photochat review --in {answers.places.raw} --items {again} ...",
            )
        )
    if decided is None:
        steps.append(("Let people review the dialogues.", "photochat review --help"))
    if answers.has("split"):
        steps.append(
            (
                "Train another model on the release, and compare.",
                f"photochat presets; photochat train intent --data "
                f"{answers.places.release} --preset ... --out ...",
            )
        )
    if answers.settings.retrieval is None:
        steps.append(
            (
                "Train networks too: install the models extra, and name presets under "
                "[intent] and [retrieval] of the pipeline file.",
                "pip install 'photochat-toolkit[models]'",
            )
        )
    if answers.has("package"):
        steps.append(
            (
                "Copy the package, since here it is made again when something changes; read the "
                "data card, fill in what only you know, and publish.",
                f"cp -r {answers.places.out / 'package'} ...",
            )
        )
    return steps  # fmt: skip


def more(answers: Answers) -> list[tuple[str, str]]:
    """Return further files to open: a path beside the page, and what it is."""
    known = (
        ("check.html", "what the checks found, dialogue by dialogue"),
        ("decisions/report.html", "votes, agreement and decisions"),
        ("intent/report.html", "the intent model: curves, thresholds, mistakes"),
        ("retrieval/report.html", "the retrieval model: curves, themes"),
        ("retrieval/gallery.html", "more of what it found"),
        ("plots", "plots of the release"),
        ("package/README.md", "the data card"),
    )
    return [(path, what) for path, what in known if (answers.places.out / path).exists()]


def _dialogues(file: Path) -> list[Dialogue]:
    """Read dialogues; an empty file holds none."""
    return read_records(file) if file.stat().st_size else []


def _picture(photo_id: str | None, images: Path | None) -> Path | None:
    """Return where a photo's picture lies, if it has an id that names one."""
    if images is None or photo_id is None:
        return None
    try:
        return image_path(images, photo_id)
    except DataError:
        return None


def _json(file: Path, *keys: str) -> Values:
    try:
        content = msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.MsgspecError) as error:
        raise DataError(f"is not what a command prints with --json ({error})", file=file) from error
    missing = ", ".join(key for key in keys if key not in content)
    if missing:
        raise DataError(f"is another command's answer: it has no {missing}", file=file)
    return content
