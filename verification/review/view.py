"""What the page shows of a dialogue: its turns cut where findings begin and end."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from photochat.dialogue import Dialogue
from verification.finding import SEVERITIES, Checked, Finding, Severity


class NumberedFinding(msgspec.Struct, frozen=True):
    """A finding with the number that its mark in the text has."""

    number: int
    finding: Finding


class Segment(msgspec.Struct, frozen=True):
    """A piece of a message and the findings that cover it; `ends` are those that end with it."""

    text: str
    severity: Severity | None = None
    ends: tuple[int, ...] = ()


class Line(msgspec.Struct, frozen=True):
    """One turn: who ("A" begins), which side, whether it is the photo, its text, its findings."""

    index: int
    speaker: str
    is_sharer: bool
    share: bool
    segments: list[Segment]
    findings: list[NumberedFinding]


class View(msgspec.Struct, frozen=True):
    """A dialogue as it is shown. `skipped` names the checks not made; None: none were made."""

    dialogue_id: int
    description: str
    photo_id: str | None
    lines: list[Line]
    findings: list[NumberedFinding]  # on the whole dialogue
    skipped: tuple[str, ...] | None


def view_of(dialogue: Dialogue, checked: Checked | None) -> View:
    """Lay out a dialogue with its findings; one on a turn that there is not is on the whole."""
    findings = checked.findings if checked else ()
    by_turn: dict[int | None, list[Finding]] = {}
    for finding in findings:
        inside = finding.turn is not None and finding.turn < len(dialogue.turns)
        by_turn.setdefault(finding.turn if inside else None, []).append(finding)
    names: dict[int, str] = {}
    sharer = dialogue.sharer
    number = 0

    def numbered(found: Sequence[Finding]) -> list[NumberedFinding]:
        nonlocal number
        ordered = sorted(found, key=lambda f: (f.start or 0, SEVERITIES.index(f.severity)))
        first, number = number + 1, number + len(ordered)
        return [NumberedFinding(first + i, finding) for i, finding in enumerate(ordered)]

    on_all = numbered(by_turn.get(None, ()))
    lines = []
    for index, turn in enumerate(dialogue.turns):
        name = names.setdefault(turn.user_id, _letter(len(names)))
        here = numbered(by_turn.get(index, ()))
        lines.append(
            Line(
                index=index,
                speaker=name,
                is_sharer=turn.user_id == sharer,
                share=turn.share_photo,
                segments=segments(turn.message, here),
                findings=here,
            )
        )
    return View(
        dialogue_id=dialogue.dialogue_id,
        description=dialogue.photo_description,
        photo_id=dialogue.photo_id,
        lines=lines,
        findings=on_all,
        skipped=checked.skipped if checked else None,
    )


def segments(message: str, findings: Sequence[NumberedFinding]) -> list[Segment]:
    """Cut a message where spans begin and end; together the pieces are the message.

    Spans may overlap and may reach beyond the message; those without a character mark nothing.
    """
    spans = [
        (max(0, f.finding.start), min(len(message), f.finding.end), f)
        for f in findings
        if f.finding.start is not None and f.finding.end is not None
    ]
    spans = [span for span in spans if span[0] < span[1]]
    edges = sorted({0, len(message), *(edge for start, end, _ in spans for edge in (start, end))})
    pieces = []
    for start, end in pairwise(edges):
        over = [span for span in spans if span[0] <= start and end <= span[1]]
        gravest = min(
            (span[2].finding.severity for span in over), key=SEVERITIES.index, default=None
        )
        ends = tuple(span[2].number for span in over if span[1] == end)
        pieces.append(Segment(message[start:end], gravest, ends))
    return pieces


def _letter(number: int) -> str:
    return chr(ord("A") + number) if number < 26 else f"Speaker {number + 1}"
