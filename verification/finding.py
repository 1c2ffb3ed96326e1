"""What a check found in a dialogue, and the file that carries findings to the reviewers.

`findings.jsonl` has one line for every dialogue that was checked, also for those without a
finding, in the order of the input: what has no line has not been checked.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from photochat.atomic import atomic_file
from photochat.errors import UNDECODABLE, DataError

Severity = Literal["reject", "review", "note"]
SEVERITIES: tuple[Severity, ...] = ("reject", "review", "note")  # the gravest first

Place = Annotated[int, msgspec.Meta(ge=0)]


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that a check found. `start` and `end` are characters of the turn's message.

    `turn` is the index in the dialogue's turns; None when the whole dialogue is meant. `score` is
    what the check measured, on the scale that its threshold has. `message` is for the reviewer.
    """

    check: str
    severity: Severity
    message: str
    turn: Place | None = None
    start: Place | None = None
    end: Place | None = None
    score: float | None = None


class Checked(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was found in one dialogue; `skipped` names the checks that could not be made."""

    dialogue_id: int
    findings: tuple[Finding, ...] = ()
    skipped: tuple[str, ...] = ()

    @property
    def severity(self) -> Severity | None:
        """The gravest severity among the findings; None without any."""
        found = {finding.severity for finding in self.findings}
        return next((severity for severity in SEVERITIES if severity in found), None)


def read_findings(path: str | Path) -> list[Checked]:
    """Read a findings file.

    Raises:
        DataError: no such file, or a line is none of findings.
    """
    try:
        lines = Path(path).read_bytes().splitlines()
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", file=path) from error
    decoder = msgspec.json.Decoder(Checked)
    checked = []
    for number, line in enumerate(lines, start=1):
        try:
            checked.append(decoder.decode(line))
        except UNDECODABLE as error:
            problem = f"is no line of findings ({error}): make them with photochat check"
            raise DataError(problem, file=path, record=f"line {number}") from error
    return checked


def write_findings(path: str | Path, checked: Iterable[Checked]) -> None:
    """Write a findings file, whole or not at all."""
    with atomic_file(Path(path)) as part, part.open("wb") as file:
        for one in checked:
            file.write(msgspec.json.encode(one) + b"\n")
