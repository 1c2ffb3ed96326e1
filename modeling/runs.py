"""The file that every run folder has: what was trained on what, and what came of it.

A task derives its own `RunFile`, saying what its settings and its outcome are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from photochat.atomic import atomic_file
from photochat.errors import UNDECODABLE, DataError

FILE = "settings.json"
METRICS = "metrics.json"
MODEL = "model"  # the folder of the kept model

Settings = TypeVar("Settings", bound=msgspec.Struct)
Chosen = TypeVar("Chosen", bound=msgspec.Struct)


class RunFile(msgspec.Struct, Generic[Settings, Chosen], frozen=True, kw_only=True):
    """A run: its task and settings, hashes of its examples, and its outcome, once it has ended."""

    task: str
    settings: Settings
    train_hash: str
    dev_hash: str
    chosen: Chosen | None = None


class Measured(Protocol):
    """What was measured of a run on one split: a struct."""

    @property
    def split(self) -> str:
        """The split's name."""


Run = TypeVar("Run", bound=RunFile[Any, Any])
Result = TypeVar("Result", bound=Measured)


def task_of(folder: Path) -> str:
    """Return what the run in `folder` has learnt: "intent", "retrieval" or "stickers".

    Raises:
        DataError: the folder holds no run.
    """

    class _Task(msgspec.Struct):
        task: str = "intent"

    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=_Task).task
    except OSError as error:
        raise DataError("holds no run (photochat train writes one)", file=folder) from error
    except UNDECODABLE as error:
        raise DataError(f"is not the settings of a run ({error})", file=folder / FILE) from error


def write_run(folder: Path, run: RunFile[Any, Any]) -> None:
    """Write the file of a run.

    Raises:
        DataError: the folder cannot be written.
    """
    with atomic_file(folder / FILE) as part:
        part.write_bytes(msgspec.json.format(msgspec.json.encode(run), indent=2))


def read_run(folder: Path, kind: type[Run], task: str) -> Run:
    """Read the file of a run of `task`.

    Raises:
        DataError: the folder holds no run, or one of another task.
    """
    there = task_of(folder)
    if there != task:
        raise DataError(f"is a run of {there}, not of {task}", file=folder)
    try:
        run: Run = msgspec.json.decode((folder / FILE).read_bytes(), type=kind)
    except UNDECODABLE as error:
        raise DataError(f"is not the settings of a run ({error})", file=folder / FILE) from error
    return run


def outcome_of(folder: Path, run: RunFile[Any, Chosen]) -> Chosen:
    """Return what came of the run in `folder`.

    Raises:
        DataError: it was interrupted.
    """
    if run.chosen is None:
        raise DataError("the run has not ended: resume it with --resume", file=folder)
    return run.chosen


def claim(folder: Path, run: RunFile[Any, Any], resume: bool) -> None:
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
    there = read_run(folder, type(run), run.task)
    other = [
        name
        for name in run.settings.__struct_fields__
        if getattr(there.settings, name) != getattr(run.settings, name)
    ]
    if other:
        raise DataError(
            f"is a run of other settings ({', '.join(other)}): resume it with the options that it "
            "was started with",
            file=folder,
        )
    if (there.train_hash, there.dev_hash) != (run.train_hash, run.dev_hash):
        raise DataError("is a run on other data", file=folder)


def read_metrics(folder: Path, kind: type[Result]) -> dict[str, Result]:
    """Read what a run was found to reach, by split; nothing where it was not measured.

    Raises:
        DataError: the file is damaged.
    """
    file = folder / METRICS
    if not file.exists():
        return {}
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, kind])  # type: ignore[valid-type]
    except UNDECODABLE as error:
        raise DataError(f"is damaged ({error}): remove it", file=file) from error


def add_metrics(folder: Path, result: Measured) -> None:
    """Keep a result beside those of other splits.

    Raises:
        DataError: the file there is damaged, or cannot be written.
    """
    everything = read_metrics(folder, type(result)) | {result.split: result}
    with atomic_file(folder / METRICS) as part:
        part.write_bytes(msgspec.json.format(msgspec.json.encode(everything), indent=2))
