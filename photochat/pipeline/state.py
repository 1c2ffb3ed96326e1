"""What a pipeline has finished, in one file that is always whole: OUT/pipeline.json."""

from __future__ import annotations

from pathlib import Path

import msgspec

from photochat.atomic import atomic_file
from photochat.errors import UNDECODABLE, DataError
from photochat.pipeline.digest import Seen

STATE_FILE = "pipeline.json"
LAYOUT = 1  # of the file


class Basis(msgspec.Struct, frozen=True):
    """What decides a stage's result: its command, the toolkit's code, and what it reads."""

    words: tuple[str, ...]
    toolkit: str
    inputs: dict[str, str]


class Finished(msgspec.Struct, frozen=True):
    """A stage that came to its end: on what basis, with which outputs, when, and how long it took.

    `at` is in seconds since 1970.
    """

    basis: Basis
    outputs: dict[str, str]
    seconds: float
    at: float


class State(msgspec.Struct):
    """Stages by name; `begun` are those that have not come to their end since they last ran."""

    layout: int = LAYOUT
    finished: dict[str, Finished] = {}
    begun: dict[str, Basis] = {}
    seen: dict[str, Seen] = {}


def read_state(out: Path) -> State:
    """Return what was finished in a folder; of a new one nothing.

    Raises:
        DataError: the file is not what this version writes.
    """
    file = out / STATE_FILE
    try:
        state = msgspec.json.decode(file.read_bytes(), type=State)
    except FileNotFoundError:
        return State()
    except (OSError, *UNDECODABLE) as error:
        raise DataError(f"cannot be read ({error}): remove it to start anew", file=file) from error
    if state.layout != LAYOUT:
        raise DataError("is of another version: remove it to start anew", file=file)
    return state


def write_state(out: Path, state: State) -> None:
    """Replace the file by a new one.

    Raises:
        DataError: it cannot be written.
    """
    with atomic_file(out / STATE_FILE) as part:
        part.write_bytes(msgspec.json.format(msgspec.json.encode(state), indent=1))
