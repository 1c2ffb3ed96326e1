"""The run folder's own file: what was trained on what, and what the dev split said."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import msgspec

from modeling import runs
from modeling.retrieval.settings import DianaSettings, RetrievalSettings, ScoreBy
from photochat.errors import DataError

TASK: Final = "retrieval"


class Chosen(msgspec.Struct, frozen=True):
    """How training ended: the kept model's dev metrics (percent) and what they were found on.

    `without_picture` counts, by split, the queries whose photo has no picture: not trained on, and
    counted as not found on dev. `without_descriptors` counts those read by their talk alone
    although descriptors were asked for.
    """

    dev: dict[str, float]
    queries: dict[str, int]
    photos: dict[str, int]
    left_out: dict[str, dict[str, int]]
    without_picture: dict[str, int]
    training: dict[str, float]
    without_descriptors: dict[str, int] = {}


class RunFile(runs.RunFile[RetrievalSettings, Chosen], frozen=True, kw_only=True):
    """A run: its settings, hashes of the examples, and how it ended, once it has."""

    task: Literal["retrieval"] = TASK


def finished(folder: Path) -> tuple[RunFile, Chosen]:
    """Read the file of a run that has ended.

    Raises:
        DataError: the folder holds no run of retrieval, or one that was interrupted.
    """
    run = runs.read_run(folder, RunFile, TASK)
    return run, runs.outcome_of(folder, run)


def scored_by(
    settings: RetrievalSettings, score: ScoreBy | None, folder: Path
) -> RetrievalSettings:
    """Return the settings of the run in `folder` with its photos ranked by `score`; None: as it is.

    Raises:
        DataError: the model has no such score.
    """
    if score is None:
        return settings
    model = settings.model
    if not isinstance(model, DianaSettings):
        kind = model.__struct_config__.tag
        raise DataError(f"is a {kind}, which has one score: leave --score out", file=folder)
    if score != "global" and model.refine == "none":
        raise DataError(f"refines nothing, so it has no {score} score", file=folder)
    return msgspec.structs.replace(settings, model=msgspec.structs.replace(model, score=score))
