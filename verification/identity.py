"""Dialogues and findings by dialogue id: what a vote names must be one dialogue."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from photochat.dialogue import Dialogue
from photochat.errors import DataError
from verification.finding import Checked, read_findings


def by_id(dialogues: Sequence[Dialogue], *, file: str | Path | None = None) -> dict[int, Dialogue]:
    """Return the dialogues by their id.

    Raises:
        DataError: an id stands twice: nobody could tell which of the two a vote is about.
    """
    found: dict[int, Dialogue] = {}
    for dialogue in dialogues:
        if dialogue.dialogue_id in found:
            raise DataError(
                "stands twice, so a vote on it is about neither: give each an id of its own",
                file=file,
                record=f"dialogue {dialogue.dialogue_id}",
                field="dialogue_id",
            )
        found[dialogue.dialogue_id] = dialogue
    return found


def findings_by_id(path: str | Path) -> dict[int, Checked]:
    """Read a findings file.

    Raises:
        DataError: it cannot be read, or has two lines about one dialogue.
    """
    found: dict[int, Checked] = {}
    for checked in read_findings(path):
        if checked.dialogue_id in found:
            where = f"dialogue {checked.dialogue_id}"
            raise DataError("has two lines of findings", file=path, record=where)
        found[checked.dialogue_id] = checked
    return found
