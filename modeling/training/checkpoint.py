"""Where a run stands, saved so that it can go on from there and come out the same.

A checkpoint is a folder `step-00000120` with everything that decides the next step: weights,
optimiser, random states and progress. It is written under another name and renamed, so a folder of
that name is whole.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
from accelerate import Accelerator

from photochat.errors import DataError

KEPT = 2
_PROGRESS = "progress.json"


class Progress(msgspec.Struct, frozen=True):
    """How far a run has come. `step_in_epoch` steps of `epoch` (from 0) are done."""

    step: int = 0
    epoch: int = 0
    step_in_epoch: int = 0
    best: float | None = None  # the dev metric of the model that is kept
    best_step: int = 0
    since_best: int = 0  # evaluations since then


def checkpoints(folder: Path) -> list[Path]:
    """Return the whole checkpoints under `folder`, oldest first."""
    return sorted(folder.glob("step-*"))


def save_checkpoint(accelerator: Accelerator, folder: Path, progress: Progress) -> None:
    """Write a checkpoint, then remove all but the newest two. Called by every process.

    Raises:
        DataError: the folder cannot be written, or the disk is full.
    """
    target = folder / f"step-{progress.step:08d}"
    part = folder / f".{target.name}.part"
    try:
        if accelerator.is_main_process:
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
        accelerator.wait_for_everyone()
        accelerator.save_state(str(part))
        accelerator.wait_for_everyone()
        if accelerator.is_main_process:
            (part / _PROGRESS).write_bytes(msgspec.json.encode(progress))
            shutil.rmtree(target, ignore_errors=True)
            part.rename(target)
            for old in checkpoints(folder)[:-KEPT]:
                shutil.rmtree(old)
        accelerator.wait_for_everyone()
    except (OSError, RuntimeError) as error:
        # torch reports a full disk as a RuntimeError of its own.
        raise DataError(f"the checkpoint cannot be written ({error})", file=folder) from error


def load_checkpoint(accelerator: Accelerator, folder: Path) -> Progress | None:
    """Put model, optimiser and random states back; None where no checkpoint was written yet.

    Raises:
        DataError: the newest checkpoint is of another model, or damaged.
    """
    if accelerator.is_main_process:
        for rest in folder.glob(".step-*.part"):
            shutil.rmtree(rest)
    there = checkpoints(folder)
    if not there:
        return None
    try:
        accelerator.load_state(str(there[-1]))
        return msgspec.json.decode((there[-1] / _PROGRESS).read_bytes(), type=Progress)
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        raise DataError(
            f"is damaged or of another model ({reason}): remove it to go on from the one before",
            file=there[-1],
        ) from error
