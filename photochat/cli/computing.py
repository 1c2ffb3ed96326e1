"""Options of every command that computes with a network, and what it needs."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from photochat.errors import DataError


class DeviceName(str, Enum):
    """Where is computed."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


Device = Annotated[DeviceName, typer.Option(help="Where to compute; auto takes a GPU if any.")]
Data = Annotated[Path, typer.Option(help="A release folder, or a file.", metavar="DIR")]


def needs_models() -> None:
    """Refuse to go on where the models extra is not installed.

    Raises:
        DataError: it is not.
    """
    if not has_models():
        raise DataError(
            "this model needs the models extra: pip install 'photochat-toolkit[models]'"
        )


def has_models() -> bool:
    """Tell whether the models extra is installed."""
    from importlib.util import find_spec

    return all(find_spec(name) for name in ("torch", "transformers", "accelerate"))


def value_of(choice: Enum | None) -> Any:
    """Return what an option was given, None where it was not."""
    return None if choice is None else choice.value
