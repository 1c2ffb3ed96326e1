"""Weights of a model in one file: all of them, or those that no other program loads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from photochat.errors import DataError

FILE = "matcher.safetensors"


def save_weights(state: Mapping[str, Tensor], folder: Path, *, beside: str | None = None) -> None:
    """Write weights into `folder`, but for those of the part `beside`, which is kept elsewhere."""
    own = {name: tensor for name, tensor in state.items() if not _of(name, beside)}
    save_file({n: t.detach().clone().contiguous().cpu() for n, t in own.items()}, folder / FILE)


def load_weights(module: nn.Module, folder: Path, *, beside: str | None = None) -> None:
    """Load what `save_weights` wrote into `folder`.

    Raises:
        DataError: there is nothing, or it is of another model.
    """
    file = folder / FILE
    try:
        state = load_file(file)
        module.load_state_dict(state, strict=False)
    except (OSError, SafetensorError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:160]
        raise DataError(f"cannot be loaded ({reason})", file=file) from error
    if set(state) != {name for name in module.state_dict() if not _of(name, beside)}:
        raise DataError("is of another model", file=file)


def _of(name: str, part: str | None) -> bool:
    return part is not None and name.startswith(f"{part}.")
