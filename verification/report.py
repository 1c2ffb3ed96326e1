"""What the checks found, for people: rates, examples with the places marked, patterns by worker."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from photochat import __version__
from photochat.atomic import atomic_file
from photochat.dialogue import Dialogue
from verification.finding import SEVERITIES, Checked, Finding, Severity

EXAMPLES = 5  # dialogues shown for each check
CONTEXT_TURNS = 1  # turns shown on each side of one with a finding
MIN_OF_WORKER = 3  # a worker with fewer dialogues has no pattern


class Rate(NamedTuple):
    """In how many dialogues a check found something; the gravest severity of each counts."""

    check: str
    reject: int
    review: int
    note: int
    percent: float  # of the dialogues with `review` or `reject`


class WorkerRate(NamedTuple):
    """How many of a worker's dialogues were flagged, and by which checks most."""

    worker: str
    dialogues: int
    flagged: int
    percent: float
    checks: str


class Piece(NamedTuple):
    """A part of a message; `severity` is None outside of findings."""

    text: str
    severity: Severity | None
    title: str


def rates(checked: Sequence[Checked]) -> list[Rate]:
    """Count the dialogues by check, "any" first, then the checks that flag most."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for one in checked:
        gravest: dict[str, Severity] = {}
        for finding in one.findings:
            for check in (finding.check, "any"):
                known = gravest.get(check, "note")
                gravest[check] = min(known, finding.severity, key=SEVERITIES.index)
        for check, severity in gravest.items():
            counts[check][severity] += 1
    rows = []
    for check, found in counts.items():
        grave = found["reject"] + found["review"]
        percent = round(100 * grave / len(checked), 2)
        rows.append(Rate(check, found["reject"], found["review"], found["note"], percent))
    return sorted(rows, key=lambda row: (row.check != "any", -row.percent, -row.note, row.check))


def worker_rates(dialogues: Sequence[Dialogue], checked: Sequence[Checked]) -> list[WorkerRate]:
    """Return the workers by how often their dialogues are flagged; none where no file names them.

    A finding in a turn counts for who wrote it, one of the whole dialogue for both.
    """
    total: Counter[str] = Counter()
    flagged: Counter[str] = Counter()
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    for dialogue, one in zip(dialogues, checked, strict=True):
        workers = workers_of(dialogue)
        total.update(set(workers.values()))
        found: dict[str, set[str]] = defaultdict(set)
        for finding in one.findings:
            if finding.severity == "note":
                continue
            by = None if finding.turn is None else dialogue.turns[finding.turn].user_id
            for user, worker in workers.items():
                if by in (None, user):
                    found[worker].add(finding.check)
        flagged.update(found.keys())
        for worker, checks in found.items():
            kinds[worker].update(checks)
    rows = [
        WorkerRate(
            worker, count, flagged[worker], round(100 * flagged[worker] / count, 1),
            ", ".join(f"{check} ({times})" for check, times in kinds[worker].most_common(3)),
        )
        for worker, count in total.items()
        if count >= MIN_OF_WORKER
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (-row.percent, -row.flagged, row.worker))


def workers_of(dialogue: Dialogue) -> dict[int, str]:
    """Return user id -> pseudonym, as a collection's export has them; empty where it has none."""
    record = (dialogue.extra or {}).get("collection")
    workers = record.get("workers") if isinstance(record, dict) else None
    return {
        worker["user_id"]: worker["worker"]
        for worker in (workers if isinstance(workers, list) else ())
        if isinstance(worker, dict)
        and isinstance(worker.get("user_id"), int)
        and isinstance(worker.get("worker"), str)
    }


def pieces(message: str, findings: Iterable[Finding]) -> list[Piece]:
    """Cut a message at the edges of its findings; of findings that overlap the gravest shows."""
    spans = [(f.start, f.end, f) for f in findings if f.start is not None and f.end is not None]
    edges = sorted({0, len(message), *(min(e, len(message)) for s in spans for e in s[:2])})
    cut = []
    for start, end in pairwise(edges):
        over = [f for first, last, f in spans if first <= start and end <= last]
        over.sort(key=lambda f: SEVERITIES.index(f.severity))
        title = "; ".join(dict.fromkeys(f"{f.check}: {f.message}" for f in over))
        cut.append(Piece(message[start:end], over[0].severity if over else None, title))
    return cut


def write_report(
    out: str | Path, dialogues: Sequence[Dialogue], checked: Sequence[Checked], source: str
) -> None:
    """Write one HTML page that needs nothing else.

    Raises:
        DataError: the file cannot be written.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("verification", "."), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    skipped = Counter(name for one in checked for name in one.skipped)
    text = environment.get_template("report.html.j2").render(
        version=__version__,
        source=source,
        total=len(checked),
        rates=rates(checked),
        skipped=sorted(skipped.items()),
        examples=_examples(dialogues, checked),
        workers=worker_rates(dialogues, checked),
        min_of_worker=MIN_OF_WORKER,
    )
    with atomic_file(out) as part:
        part.write_text(text, encoding="utf-8")


def _examples(dialogues: Sequence[Dialogue], checked: Sequence[Checked]) -> list[dict[str, Any]]:
    shown: dict[str, list[dict[str, Any]]] = {
        row.check: [] for row in rates(checked) if row.check != "any"
    }
    for severity in SEVERITIES:
        for dialogue, one in zip(dialogues, checked, strict=True):
            for check in {f.check for f in one.findings if f.severity == severity}:
                known = [example["id"] for example in shown[check]]
                if len(known) < EXAMPLES and dialogue.dialogue_id not in known:
                    shown[check].append(_example(dialogue, one, check))
    return [{"check": check, "dialogues": examples} for check, examples in shown.items()]


def _example(dialogue: Dialogue, one: Checked, check: str) -> dict[str, Any]:
    findings = [finding for finding in one.findings if finding.check == check]
    meant = {finding.turn for finding in findings if finding.turn is not None}
    near = {
        turn + step for turn in meant for step in range(-CONTEXT_TURNS, CONTEXT_TURNS + 1)
    } or set(range(4))
    lines = [
        {
            "number": index,
            "user": turn.user_id,
            "photo": turn.share_photo,
            "pieces": pieces(turn.message, [f for f in findings if f.turn == index]),
            "meant": index in meant,
        }
        for index, turn in enumerate(dialogue.turns)
        if index in near
    ]
    says = list(dict.fromkeys((f.severity, f.message) for f in findings))
    return {
        "id": dialogue.dialogue_id,
        "photo": dialogue.photo_description,
        "lines": lines,
        "says": says,
    }
