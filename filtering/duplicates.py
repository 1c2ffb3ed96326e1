"""Photos that show the same thing twice, found by the distance between their embeddings.

Any embedding will do: a model's when one is at hand, else `thumbnail_vectors`, which sees only
that two files are the same picture in another size or compression, not that two shots show the
same scene.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from photochat.images import FORMATS, MAX_PIXELS, as_rgb

Vectors = npt.NDArray[np.float32]

THUMBNAIL_SIDE = 16  # pixels: 768 numbers a picture
# Cosine distance of mean-free thumbnails. Between copies of one photo in another size or quality
# it is below 0.01; between photos from one scene it is seldom below 0.1.
THUMBNAIL_DISTANCE = 0.02
_BLOCK = 1024  # rows compared at a time, so that memory stays at a few megabytes


class Embedder(NamedTuple):
    """How pictures become vectors.

    `embed` takes paths of n readable pictures and returns an array (n, d), with a row of NaN for
    a picture that turned out unreadable; `max_distance` is the cosine distance up to which two of
    its vectors mean the same picture; `name` says to people what was used.
    """

    name: str
    embed: Callable[[Sequence[Path]], Vectors]
    max_distance: float


def thumbnail_vectors(paths: Sequence[Path]) -> Vectors:
    """Return the pixels of a 16 x 16 thumbnail of each picture, mean-free, as (n, 768)."""
    vectors = np.full((len(paths), THUMBNAIL_SIDE**2 * 3), np.nan, np.float32)
    for row, path in enumerate(paths):
        try:
            with Image.open(path, formats=FORMATS) as picture:
                if picture.width * picture.height > MAX_PIXELS:
                    continue
                # A JPEG is decoded at a fraction of its size, which is several times as fast.
                picture.draft("RGB", (8 * THUMBNAIL_SIDE, 8 * THUMBNAIL_SIDE))
                small = as_rgb(picture).resize(
                    (THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.BOX
                )
        except Exception:  # noqa: S112 - damage of any kind: the row of NaN says so
            continue
        pixels = np.asarray(small, np.float32).ravel()
        vectors[row] = pixels - pixels.mean()
    return vectors


THUMBNAILS = Embedder("thumbnail pixels (no model)", thumbnail_vectors, THUMBNAIL_DISTANCE)


def near_duplicates(vectors: Vectors, max_distance: float) -> list[list[int]]:
    """Group the rows that lie within `max_distance` (cosine) of each other, directly or by chain.

    Returns groups of two or more row numbers, ascending, in the order of their first row. Rows
    with NaN belong to no group; rows of zeros (a picture of one flat colour) only equal each other.

    >>> near_duplicates(np.array([[1, 0], [0, 1], [1, 0.01], [np.nan, 0]], np.float32), 0.02)
    [[0, 2]]
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    usable = np.flatnonzero(np.isfinite(lengths[:, 0]) & (lengths[:, 0] > 0))
    flat = np.flatnonzero(lengths[:, 0] == 0)
    units = (vectors[usable] / lengths[usable]).astype(np.float32)
    parent = list(range(len(vectors)))

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    def join(first: int, second: int) -> None:
        a, b = sorted((root(first), root(second)))
        parent[b] = a

    for start in range(0, len(units), _BLOCK):
        # Each pair once: this block against itself and what follows.
        close = units[start : start + _BLOCK] @ units[start:].T >= 1 - max_distance
        for i, j in np.argwhere(close):
            if i < j:
                join(int(usable[start + i]), int(usable[start + j]))
    for row in flat[1:]:
        join(int(flat[0]), int(row))

    groups: dict[int, list[int]] = {}
    for row in range(len(vectors)):
        groups.setdefault(root(row), []).append(row)
    return [group for group in groups.values() if len(group) > 1]
