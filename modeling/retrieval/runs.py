"""The run folder's own file: what was trained on what, and what the dev split said."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from modeling.retrieval.settings import RetrievalSettings
from photochat.atomic import atomic_file
from photochat.errors import DataError

FILE = "settings.json"
MODEL = "model"  # the folder of the kept model


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


class RunFile(msgspec.Struct, frozen=True, kw_only=True):
    """A run: its settings, hashes of the examples, and how it ended, once it has."""

    task: Literal["retrieval"] = "retrieval"
    settings: RetrievalSettings
    train_hash: str
    dev_hash: str
    chosen: Chosen | None = None


def write_run(folder: Path, run: RunFile) -> None:
    """Write the file of a run.

    Raises:
        DataError: the folder cannot be written.
    """
    with atomic_file(folder / FILE) as part:
        part.write_bytes(msgspec.json.format(msgspec.json.encode(run), indent=2))


def task_of(folder: Path) -> str:
    """Return what the run in `folder` has learnt: "retrieval" or "intent".

    Raises:
        DataError: the folder holds no run.
    """

    class _Task(msgspec.Struct):
        task: str = "intent"

    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=_Task).task
    except OSError as error:
        raise DataError("holds no run (photochat train writes one)", file=folder) from error
    except msgspec.DecodeError as error:
        raise DataError(f"is not the settings of a run ({error})", file=folder / FILE) from error


def read_run(folder: Path) -> RunFile:
    """Read the file of a run.

    Raises:
        DataError: the folder holds no run, or one of another task.
    """
    task = task_of(folder)
    if task != "retrieval":
        raise DataError(f"is a run of {task}, not of retrieval", file=folder)
    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=RunFile)
    except msgspec.DecodeError as error:
        raise DataError(f"is not the settings of a run ({error})", file=folder / FILE) from error


def finished(folder: Path) -> tuple[RunFile, Chosen]:
    """Read the file of a run that has ended.

    Raises:
        DataError: the folder holds no run of retrieval, or one that was interrupted.
    """
    run = read_run(folder)
    if run.chosen is None:
        raise DataError("the run has not ended: resume it with --resume", file=folder)
    return run, run.chosen


def claim(folder: Path, run: RunFile, resume: bool) -> None:
    """See that the folder is free and mark it as this run's, or, to resume, that it is this run's.

    Raises:
        DataError: it is not.
    """
    if not resume:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise DataError(
                "is not empty: name another folder, or add --resume to go on with its run",
                file=folder,
            )
        write_run(folder, run)
        return
    there = read_run(folder)
    if there.settings != run.settings:
        names = [
            name
            for name in RetrievalSettings.__struct_fields__
            if getattr(there.settings, name) != getattr(run.settings, name)
        ]
        raise DataError(
            f"is a run of other settings ({', '.join(names)}): resume it with the options that it "
            "was started with",
            file=folder,
        )
    if (there.train_hash, there.dev_hash) != (run.train_hash, run.dev_hash):
        raise DataError("is a run on other data", file=folder)
