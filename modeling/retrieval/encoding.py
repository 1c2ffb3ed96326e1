"""A gallery encoded once, and queries scored against it some at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar, cast

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from torch import Tensor

from modeling.retrieval.examples import GalleryPhoto, Query, RetrievalExamples
from modeling.retrieval.identities import right_photos
from modeling.retrieval.matcher import Batch, Matcher, Pictures, Representations, Retriever, joined
from modeling.retrieval.metrics import first_ranks
from modeling.retrieval.ranks import Ranks, ranks_of
from modeling.retrieval.rounds import prefixes
from modeling.training.batches import ahead

_T = TypeVar("_T")

AT_ONCE = 128  # queries or photos in one forward pass


class Encoder:
    """A model in evaluation, without gradients, on the accelerator's device and precision."""

    def __init__(
        self, retriever: Retriever, accelerator: Accelerator, *, at_once: int = AT_ONCE
    ) -> None:
        self.matcher: Matcher = retriever.matcher.to(accelerator.device).eval()
        self._feeder, self._reads = retriever.feeder, retriever.reads
        self._accelerator = accelerator
        self._at_once = at_once

    def queries(self, queries: Sequence[Query]) -> Representations:
        """Return the queries' representations, on the device."""
        batches = (self._feeder.queries(part) for part in _parts(queries, self._at_once))
        with torch.no_grad(), self._accelerator.autocast():
            return joined(self.matcher.queries(self._moved(batch)) for batch in ahead(batches))

    @property
    def reads_rounds(self) -> bool:
        """Tell whether one pass over a query answers after every round of it."""
        return hasattr(self._feeder, "rounds") and hasattr(self.matcher, "rounds")

    def rounds(self, queries: Sequence[Query]) -> Representations:
        """Return the representations of every prefix of every query, in order (`prefixes`).

        One pass over each query where the model reads from left to right, else one a prefix.
        """
        if not self.reads_rounds:
            return self.queries([prefix for query in queries for prefix in prefixes(query)])
        feeder, read = cast(Any, self._feeder), cast(Any, self.matcher).rounds
        batches = (feeder.rounds(part) for part in _parts(queries, self._at_once))
        with torch.no_grad(), self._accelerator.autocast():
            return joined(read(self._moved(batch)) for batch in ahead(batches))

    def photos(self, photos: Sequence[GalleryPhoto]) -> Representations:
        """Return the photos' representations, on the device.

        What the model reads of several photos alike is encoded once. In a batch of another length
        its vector would differ in 16 bits by more than rounding, and equal photos would not tie.
        """
        read = [self._reads(photo) for photo in photos]
        distinct = dict(zip(read, photos, strict=True))
        parts = _parts(list(distinct.values()), self._at_once)
        batches = (self._feeder.photos(part) for part in parts)
        with torch.no_grad(), self._accelerator.autocast():
            seen = joined(self.matcher.photos(self._moved(batch)) for batch in ahead(batches))
        if len(distinct) == len(photos):
            return seen
        place = {text: i for i, text in enumerate(distinct)}
        rows = torch.tensor([place[text] for text in read], device=self._accelerator.device)
        return {name: tensor[rows] for name, tensor in seen.items()}

    def scores(self, queries: Sequence[Query], gallery: Representations) -> Tensor:
        """Return the scores (queries, photos) of queries against an encoded gallery, in fp32."""
        return self.compared(self.queries(queries), gallery)

    def compared(self, encoded: Representations, gallery: Representations) -> Tensor:
        """Return the scores of encoded queries against an encoded gallery, in fp32."""
        with torch.no_grad():
            return self.matcher.scores(_single(encoded), _single(gallery)).float()

    def _moved(self, batch: Batch) -> Batch:
        return {n: t.to(self._accelerator.device, non_blocking=True) for n, t in batch.items()}


def ranks_in(
    retriever: Retriever,
    examples: RetrievalExamples,
    accelerator: Accelerator,
    pictures: Pictures | None = None,
) -> Ranks:
    """Return the rank of each query's photo, the best of several, the same in every process.

    Photos without a picture stand last, behind all that have one.
    """
    matcher = retriever.matcher
    was_training = matcher.training
    encoder = Encoder(retriever, accelerator)
    gallery = encoder.photos(examples.photos)
    available = None
    if pictures is not None:
        available = torch.tensor([pictures.has(photo) for photo in examples.photos])
    own = range(accelerator.process_index, len(examples), accelerator.num_processes)
    asked = [examples.queries[i] for i in own]
    ranks = ranks_of(
        lambda part: encoder.scores(asked[part], gallery),
        right_photos(examples)[list(own)],
        len(examples.photos),
        available=available,
    )
    matcher.train(was_training)
    found = [(np.array(own), first_ranks(ranks))]
    if accelerator.num_processes > 1:
        found = gather_object(found)
    result = np.zeros(len(examples), dtype=np.int64)
    for places, values in found:
        result[places] = values
    return result


def _parts(items: Sequence[_T], size: int) -> Sequence[Sequence[_T]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def _single(representations: Representations) -> Representations:
    return {n: t.float() if t.is_floating_point() else t for n, t in representations.items()}
