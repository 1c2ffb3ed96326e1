"""A running average of a model's weights, which is often better than the weights themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

RAMP = 3  # after step t the average keeps t / (t + RAMP) at most: the start is soon forgotten


class WeightAverage:
    """Averages trained weights over steps; a resumed run finds it in its checkpoint."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self._own = [p for p in model.parameters() if p.requires_grad]
        self._average = [p.detach().clone() for p in self._own]
        self._decay = decay

    def update(self, step: int) -> None:
        """Take in the weights after step `step`, counted from 1."""
        kept = min(self._decay, step / (step + RAMP))
        with torch.no_grad():
            for average, own in zip(self._average, self._own, strict=True):
                average.lerp_(own, 1 - kept)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Put the average into the model, and the model's own weights back afterwards."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def _swap(self) -> None:
        with torch.no_grad():
            for average, own in zip(self._average, self._own, strict=True):
                before = own.clone()
                own.copy_(average)
                average.copy_(before)

    def state_dict(self) -> dict[str, Tensor]:
        """Return what a checkpoint keeps."""
        return {str(i): tensor for i, tensor in enumerate(self._average)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take what a checkpoint kept."""
        with torch.no_grad():
            for i, average in enumerate(self._average):
                average.copy_(state[str(i)])
