"""A run's own file: what was trained on what, and what the valid split said."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from modeling.stickers.settings import TASK, IntRASettings
from photochat.atomic import atomic_file
from photochat.errors import DataError

FILE = "settings.json"


class Learnt(msgspec.Struct, frozen=True):
    """What the kept model reaches on valid, and figures of the data and the training.

    `without` counts what had no knowledge or description, by what it is.
    """

    valid: dict[str, float]
    conversations: dict[str, int]
    stickers: int
    without: dict[str, int]
    training: dict[str, float]


class StickerRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run: settings, hashes of the examples, and what was learnt, once it has ended."""

    task: Literal["stickers"] = TASK
    settings: IntRASettings
    train_hash: str
    valid_hash: str
    learnt: Learnt | None = None


def write_run(folder: Path, run: StickerRun) -> None:
    """Write the file of a run.

    Raises:
        DataError: the folder cannot be written.
    """
    with atomic_file(folder / FILE) as part:
        part.write_bytes(msgspec.json.format(msgspec.json.encode(run), indent=2))


def read_run(folder: Path) -> StickerRun:
    """Read the file of a run.

    Raises:
        DataError: the folder holds no run of stickers.
    """
    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=StickerRun)
    except OSError as error:
        raise DataError("holds no run (photochat train writes one)", file=folder) from error
    except msgspec.DecodeError as error:
        raise DataError(f"is no run of stickers ({error})", file=folder / FILE) from error


def finished(folder: Path) -> tuple[StickerRun, Learnt]:
    """Read the file of a run that has ended.

    Raises:
        DataError: the folder holds no run of stickers, or one that was interrupted.
    """
    run = read_run(folder)
    if run.learnt is None:
        raise DataError("the run has not ended: resume it with --resume", file=folder)
    return run, run.learnt


def claim(folder: Path, run: StickerRun, resume: bool) -> None:
    """See that the folder is free, or holds this very run.

    Raises:
        DataError: it does not.
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
    fields = IntRASettings.__struct_fields__
    other = [n for n in fields if getattr(there.settings, n) != getattr(run.settings, n)]
    if other:
        raise DataError(
            f"is a run of other settings ({', '.join(other)}): resume it with the options that it "
            "was started with",
            file=folder,
        )
    if (there.train_hash, there.valid_hash) != (run.train_hash, run.valid_hash):
        raise DataError("is a run on other data", file=folder)
