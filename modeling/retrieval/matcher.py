"""What every retrieval model is to training, evaluation and search.

A model turns queries and photos into representations, each by itself, and scores every query with
every photo. Nothing outside a model's own file knows what its representations hold.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from modeling.retrieval.examples import GalleryPhoto, Query
from modeling.retrieval.losses import pair_loss
from modeling.training.schedule import rate_by_name

if TYPE_CHECKING:
    from modeling.retrieval.settings import RetrievalSettings

MAX_SCALE = 100.0  # CLIP's bound: beyond it the softmax of a batch is as good as a maximum

Batch = dict[str, Tensor]
Representations = dict[str, Tensor]  # the first dimension of each tensor is the item


class Matcher(nn.Module):
    """A retrieval model. `scores` and `loss` are those of models with one vector an item.

    `log_scale` is the logarithm of what scores are multiplied by in a softmax, 1 / temperature.
    A model that has its own passes None for `temperature` and provides it.
    """

    _log_scale: Tensor

    def __init__(self, temperature: float | None = 1.0, learn_temperature: bool = False) -> None:
        super().__init__()
        if temperature is not None:
            start = torch.tensor(-math.log(temperature))
            if learn_temperature:
                self._log_scale = nn.Parameter(start)
            else:
                self.register_buffer("_log_scale", start)

    @property
    def log_scale(self) -> Tensor:
        """The logarithm of `scale`."""
        return self._log_scale

    @property
    def scale(self) -> Tensor:
        """What scores are multiplied by in a softmax."""
        return self.log_scale.exp().clamp(max=MAX_SCALE)

    def queries(self, batch: Batch) -> Representations:
        """Return the representations of queries that a Feeder laid out."""
        raise TypeError(f"{type(self).__name__} reads no queries")

    def photos(self, batch: Batch) -> Representations:
        """Return the representations of photos that a Feeder laid out."""
        raise TypeError(f"{type(self).__name__} reads no photos")

    def scores(self, queries: Representations, photos: Representations) -> Tensor:
        """Return scores (queries, photos), larger is better: here cosines of "vector"s."""
        return queries["vector"] @ photos["vector"].T

    def loss(
        self,
        queries: Representations,
        photos: Representations,
        identities: Tensor,
        settings: RetrievalSettings,
    ) -> Tensor:
        """Return the mean loss of pairs, query i with photo i, over all pairs of a step.

        `identities` (pairs,) are equal just for pairs of the same photo, or of one person.
        """
        return pair_loss(
            self.scores(queries, photos),
            identities,
            settings.loss,
            scale=self.scale,
            margin=settings.margin,
        )

    def rate_factor(self, name: str, fresh: float) -> float:
        """Return what a parameter's rate is multiplied by; `fresh` is for untrained parts."""
        return rate_by_name(name, fresh)

    def forward(self, queries: Batch, photos: Batch) -> tuple[Representations, Representations]:
        """Return the representations of both."""
        return self.queries(queries), self.photos(photos)


class Pictures(Protocol):
    """The pictures of photos, decoded and of one size."""

    def has(self, photo: GalleryPhoto) -> bool:
        """Tell whether the photo's picture could be had."""

    def pixels(self, photos: Sequence[GalleryPhoto]) -> Tensor:
        """Return pictures (photos, 3, side, side), uint8 RGB; black where one cannot be had."""


class Feeder(Protocol):
    """Lays queries and photos out as a Matcher reads them, in tensors on the CPU."""

    def queries(self, queries: Sequence[Query]) -> Batch:
        """Return a batch of what was said; who speaks and how many turns is the feeder's choice."""

    def photos(self, photos: Sequence[GalleryPhoto]) -> Batch:
        """Return a batch of photos: their labels, their pictures ("pixels", uint8), or both."""


class Retriever(NamedTuple):
    """A model with what it takes to feed it and to keep it.

    `save` writes weights, as of the matcher's `state_dict()`, into a folder that loads again.
    `reads` tells what the model reads of a photo: photos of which that is equal are equal to it.
    """

    matcher: Matcher
    feeder: Feeder
    save: Callable[[dict[str, Tensor], Path], None]
    reads: Callable[[GalleryPhoto], str] = attrgetter("key")


def joined(parts: Iterable[Representations]) -> Representations:
    """Put representations one below the other; other dimensions are filled up with zeros."""
    listed = list(parts)
    result: Representations = {}
    for name in listed[0]:
        tensors = [part[name] for part in listed]
        shape = [max(sizes) for sizes in zip(*(t.shape[1:] for t in tensors), strict=True)]
        result[name] = torch.cat([filled_up(tensor, shape) for tensor in tensors])
    return result


def filled_up(tensor: Tensor, shape: Sequence[int]) -> Tensor:
    """Return `tensor` with all dimensions but the first filled up with zeros to `shape`."""
    room: list[int] = []
    for have, want in zip(reversed(tensor.shape[1:]), reversed(shape), strict=True):
        room += [0, want - have]
    return nn.functional.pad(tensor, room) if any(room) else tensor
