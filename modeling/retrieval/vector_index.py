"""The best of many vectors by inner product: exactly, or through FAISS for large galleries.

Exact search is one matrix product by blocks. FAISS is exact too as long as the gallery is small (a
flat index); beyond `LARGE` vectors it looks at some cells of a partition alone, as many as it takes
to find `RECALL` of what the exact search finds for a sample of the gallery's own vectors.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from photochat.atomic import atomic_file
from photochat.errors import DataError

Index = Literal["exact", "faiss"]

LARGE = 50_000  # vectors; below that a flat index answers in milliseconds
RECALL = 0.95  # of the exact search's first ten
_SAMPLE = 200  # vectors of the gallery asked for, to choose how many cells to visit
_TRAINING = 40  # vectors a cell for the partition: FAISS asks for 39 at least
_BLOCK = 2**24  # scores held at once
_FIRST = 10

Vectors = NDArray[np.float32]


class Best(NamedTuple):
    """The best vectors of each query, best first, (queries, top) each."""

    scores: NDArray[np.float32]
    places: NDArray[np.int64]


def exact_best(queries: Vectors, gallery: Vectors, top: int) -> Best:
    """Return the `top` vectors of the gallery with the highest inner products, the earlier first.

    Memory is bounded by a block of the gallery, not by queries times gallery.
    """
    step = max(_BLOCK // max(len(queries), 1), top)
    scores: NDArray[np.float32] = np.zeros((len(queries), 0), np.float32)
    places: NDArray[np.int64] = np.zeros((len(queries), 0), np.int64)
    for start in range(0, len(gallery), step):
        block = queries @ gallery[start : start + step].T
        part = _highest(block, min(top, block.shape[1]))
        scores = np.concatenate([scores, np.take_along_axis(block, part, 1)], axis=1)
        places = np.concatenate([places, part + start], axis=1)
        order = np.argsort(-scores, axis=1, kind="stable")[:, :top]
        scores = np.take_along_axis(scores, order, 1)
        places = np.take_along_axis(places, order, 1)
    return Best(scores, places)


class FaissIndex:
    """A FAISS index over a gallery: flat up to `LARGE` vectors, else partitioned.

    Raises:
        DataError: FAISS is not installed.
    """

    def __init__(self, gallery: Vectors, *, large: int = LARGE, recall: float = RECALL) -> None:
        faiss = load_faiss()
        count, width = gallery.shape
        self.visited = 0  # cells looked at; 0: all there is
        if count <= large:
            self._index = faiss.IndexFlatIP(width)
            self._index.add(gallery)
            return
        cells = int(2 * np.sqrt(count))
        self._index = faiss.index_factory(width, f"IVF{cells},Flat", faiss.METRIC_INNER_PRODUCT)
        source = np.random.default_rng(0)
        drawn = np.sort(source.choice(count, min(_TRAINING * cells, count), replace=False))
        self._index.train(gallery[drawn])
        self._index.add(gallery)
        self._visit_enough(gallery, source, cells, recall)

    @classmethod
    def read(cls, file: Path) -> FaissIndex:
        """Read an index that `write` wrote.

        Raises:
            DataError: FAISS is not installed, or the file is none of its indexes.
        """
        faiss = load_faiss()
        self = cls.__new__(cls)
        try:
            self._index = faiss.read_index(str(file))
        except RuntimeError as error:
            raise DataError("is no index of FAISS: remove it", file=file) from error
        self.visited = int(getattr(self._index, "nprobe", 0))
        return self

    def write(self, file: Path) -> None:
        """Write the index.

        Raises:
            DataError: the file cannot be written.
        """
        with atomic_file(file) as part:
            load_faiss().write_index(self._index, str(part))

    def best(self, queries: Vectors, top: int) -> Best:
        """Return the `top` vectors of the gallery with the highest inner products."""
        return Best(*self._index.search(np.ascontiguousarray(queries), top))

    def _visit_enough(
        self, gallery: Vectors, source: np.random.Generator, cells: int, recall: float
    ) -> None:
        asked = gallery[source.choice(len(gallery), min(_SAMPLE, len(gallery)), replace=False)]
        expected = exact_best(asked, gallery, _FIRST).places
        self.visited = 1
        while self.visited < cells:
            self._index.nprobe = self.visited
            if agreement(self.best(asked, _FIRST).places, expected) >= recall:
                return
            self.visited = min(self.visited + max(1, self.visited // 4), cells)
        self._index.nprobe = self.visited


def agreement(found: NDArray[np.int64], expected: NDArray[np.int64]) -> float:
    """Return how much of `expected` (queries, top) was found, from 0 to 1."""
    shared = [len(np.intersect1d(a, b)) for a, b in zip(found, expected, strict=True)]
    return sum(shared) / expected.size if expected.size else 1.0


def load_faiss() -> Any:
    """Return the module.

    Raises:
        DataError: it is not installed.
    """
    try:
        import faiss
    except ImportError as error:
        raise DataError(
            "--index faiss needs the search extra: pip install 'photochat-toolkit[search]'"
        ) from error
    return faiss


def _highest(block: Vectors, count: int) -> NDArray[np.int64]:
    """Return the places of the `count` highest of each row, the earlier of equals first."""
    if count == block.shape[1]:
        chosen = np.tile(np.arange(count), (len(block), 1))
    else:
        chosen = np.sort(np.argpartition(-block, count - 1, axis=1)[:, :count], axis=1)
    own = np.take_along_axis(block, chosen, 1)
    return np.take_along_axis(chosen, np.argsort(-own, axis=1, kind="stable"), 1)
