"""Gold dialogues: those whose right verdict is known, mixed in to see how well reviewers decide.

A gold file is a file of dialogues with a further key `gold`, "accept" or "reject". A gold dialogue
that is also among the dialogues to be verified is decided by its answer; one that is not (made up
to be wrong, for instance) is shown to reviewers and written nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from photochat.dialogue import Dialogue, without_extra
from photochat.errors import DataError
from photochat.records import read_records

Answer = Literal["accept", "reject"]
KEY = "gold"


class Gold(msgspec.Struct, frozen=True):
    """A dialogue and its right verdict."""

    dialogue: Dialogue
    answer: Answer


def read_gold(path: str | Path) -> list[Gold]:
    """Read a gold file.

    Raises:
        DataError: the file cannot be read, an answer is missing or none, an id stands twice.
    """
    gold = []
    seen: set[int] = set()
    for dialogue in read_records(path):
        answer = (dialogue.extra or {}).get(KEY)
        where = f"dialogue {dialogue.dialogue_id}"
        if answer not in ("accept", "reject"):
            raise DataError('must be "accept" or "reject"', file=path, record=where, field=KEY)
        if dialogue.dialogue_id in seen:
            raise DataError("stands twice", file=path, record=where, field="dialogue_id")
        seen.add(dialogue.dialogue_id)
        gold.append(Gold(dialogue, answer))
    return gold


def check_same(gold: Sequence[Gold], dialogues: Mapping[int, Dialogue]) -> None:
    """Make sure that a gold dialogue with the id of another dialogue is that dialogue.

    Raises:
        DataError: it is not.
    """
    for item in gold:
        other = dialogues.get(item.dialogue.dialogue_id)
        if other is not None and without_extra(other) != without_extra(item.dialogue):
            raise DataError(
                "is another one among those to be verified: give the gold one an id of its own",
                record=f"gold dialogue {item.dialogue.dialogue_id}",
                field="dialogue_id",
            )
