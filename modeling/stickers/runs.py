"""A run's own file: what was trained on what, and what the valid split said."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import msgspec

from modeling import runs
from modeling.stickers.settings import IntRASettings

TASK: Final = "stickers"


class Learnt(msgspec.Struct, frozen=True):
    """What the kept model reaches on valid, and figures of the data and the training.

    `without` counts what had no knowledge or description, by what it is.
    """

    valid: dict[str, float]
    conversations: dict[str, int]
    stickers: int
    without: dict[str, int]
    training: dict[str, float]


class StickerRun(runs.RunFile[IntRASettings, Learnt], frozen=True, kw_only=True):
    """A run: settings, hashes of the examples (valid for dev), and what was learnt."""

    task: Literal["stickers"] = TASK


def finished(folder: Path) -> tuple[StickerRun, Learnt]:
    """Read the file of a run that has ended.

    Raises:
        DataError: the folder holds no run of stickers, or one that was interrupted.
    """
    run = runs.read_run(folder, StickerRun, TASK)
    return run, runs.outcome_of(folder, run)
