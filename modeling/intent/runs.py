"""The run folder's own file: what was trained on what, and what was chosen on dev."""

from __future__ import annotations

from pathlib import Path

import msgspec

from modeling.intent.settings import IntentSettings
from photochat.atomic import atomic_file
from photochat.errors import DataError

FILE = "settings.json"
MODEL = "model"  # the folder of the kept model


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


class RunFile(msgspec.Struct, frozen=True, kw_only=True):
    """A run: its settings, hashes of the examples, and what was chosen, once it has ended."""

    settings: IntentSettings
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


def read_run(folder: Path) -> RunFile:
    """Read the file of a run.

    Raises:
        DataError: the folder holds no run.
    """
    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=RunFile)
    except OSError as error:
        raise DataError("holds no run (photochat train writes one)", file=folder) from error
    except msgspec.DecodeError as error:
        raise DataError(f"is not the settings of a run ({error})", file=folder / FILE) from error


def finished(folder: Path) -> tuple[RunFile, Chosen]:
    """Read the file of a run that has ended.

    Raises:
        DataError: the folder holds no run, or one that was interrupted.
    """
    run = read_run(folder)
    if run.chosen is None:
        raise DataError("the run has not ended: resume it with --resume", file=folder)
    return run, run.chosen
