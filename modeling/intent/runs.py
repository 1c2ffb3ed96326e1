"""The run folder's own file: what was trained on what, and what was chosen on dev."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import msgspec

from modeling import runs
from modeling.intent.settings import IntentSettings

TASK: Final = "intent"


class Chosen(msgspec.Struct, frozen=True):
    """What training and development data decided; evaluation takes it as given."""

    threshold: float
    after_turn: int
    share_rate: float
    dev: dict[str, float]
    examples: dict[str, int]
    dialogues: dict[str, int]
    left_out: dict[str, dict[str, int]]
    training: dict[str, float]


class RunFile(runs.RunFile[IntentSettings, Chosen], frozen=True, kw_only=True):
    """A run: its settings, hashes of the examples, and what was chosen, once it has ended."""

    task: Literal["intent"] = TASK


def finished(folder: Path) -> tuple[RunFile, Chosen]:
    """Read the file of a run that has ended.

    Raises:
        DataError: the folder holds no run of intent, or one that was interrupted.
    """
    run = runs.read_run(folder, RunFile, TASK)
    return run, runs.outcome_of(folder, run)
