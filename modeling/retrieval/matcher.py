"""What every retrieval model is to training, evaluation and search.

A model turns queries and photos into representations, each by itself, and scores every query with
every photo. Nothing outside a model's own file knows what its representations hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn

from modeling.retrieval.examples import GalleryPhoto, Query

Batch = dict[str, Tensor]
Representations = dict[str, Tensor]  # the first dimension of each tensor is the item


class Matcher(nn.Module):
    """A retrieval model. The default `scores` is that of models with one vector an item."""

    def queries(self, batch: Batch) -> Representations:
        """Return the representations of queries that a Feeder laid out."""
        raise TypeError(f"{type(self).__name__} reads no queries")

    def photos(self, batch: Batch) -> Representations:
        """Return the representations of photos that a Feeder laid out."""
        raise TypeError(f"{type(self).__name__} reads no photos")

    def scores(self, queries: Representations, photos: Representations) -> Tensor:
        """Return scores (queries, photos), larger is better: here cosines of "vector"s."""
        return queries["vector"] @ photos["vector"].T

    def rate_factor(self, name: str) -> float | None:
        """Return what the learning rate of a parameter is multiplied by; None: as by default."""
        return None

    def forward(self, queries: Batch, photos: Batch) -> tuple[Representations, Representations]:
        """Return the representations of both."""
        return self.queries(queries), self.photos(photos)


class Pictures(Protocol):
    """The pictures of photos, decoded and of one size."""

    def has(self, photo: GalleryPhoto) -> bool:
        """Tell whether the photo's picture could be had."""

    def pixels(self, photos: Sequence[GalleryPhoto]) -> Tensor:
        """Return pictures (photos, 3, side, side), uint8 RGB; grey where one cannot be had."""


class Feeder(Protocol):
    """Lays queries and photos out as a Matcher reads them, in tensors on the CPU."""

    def queries(self, queries: Sequence[Query]) -> Batch:
        """Return a batch of what was said; who speaks and how many turns is the feeder's choice."""

    def photos(self, photos: Sequence[GalleryPhoto]) -> Batch:
        """Return a batch of photos: their labels, their pictures as uint8, or both."""


def joined(parts: Iterable[Representations]) -> Representations:
    """Put representations one below the other; other dimensions are filled up with zeros."""
    listed = list(parts)
    result: Representations = {}
    for name in listed[0]:
        tensors = [part[name] for part in listed]
        shape = [max(sizes) for sizes in zip(*(t.shape[1:] for t in tensors), strict=True)]
        result[name] = torch.cat([_filled(tensor, shape) for tensor in tensors])
    return result


def _filled(tensor: Tensor, shape: Sequence[int]) -> Tensor:
    if list(tensor.shape[1:]) == list(shape):
        return tensor
    room: list[int] = []
    for have, want in zip(reversed(tensor.shape[1:]), reversed(shape), strict=True):
        room += [0, want - have]
    return cast(Any, nn.functional.pad)(tensor, room)  # type: ignore[no-any-return]
