"""The retrieval task as the training loop sees it: a row is a query, a step all of its pairs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from modeling.metrics import retrieval_metrics
from modeling.retrieval.augment import prepare, views
from modeling.retrieval.cached_gradient import Part, step_gradient
from modeling.retrieval.encoding import ranks_in
from modeling.retrieval.examples import Query, RetrievalExamples
from modeling.retrieval.identities import identity_numbers
from modeling.retrieval.matcher import Batch, Matcher, Pictures, Representations, Retriever
from modeling.retrieval.ranks import Ranks
from modeling.retrieval.rounds import retained
from modeling.retrieval.settings import RetrievalSettings
from modeling.retrieval.texts import said, words_of
from modeling.training.batches import Rows
from photochat.errors import DataError

_QUERY, _PHOTO, _IDENTITY, _VIEWS = "query/", "photo/", "identity", "views"
_BYTES = ((0.0,) * 3, (1 / 255,) * 3)  # towers take values from 0 to 255 and scale them


class Row(NamedTuple):
    """A query as it is read in one epoch."""

    query: Query
    epoch: int


class RetrievalTask:
    """Queries of the training split with their photos, the loss of a step, and metrics on dev."""

    def __init__(
        self,
        retriever: Retriever,
        settings: RetrievalSettings,
        train: RetrievalExamples,
        dev: RetrievalExamples,
        pictures: Pictures | None,
    ) -> None:
        self.retriever = retriever
        self.model: nn.Module = retriever.matcher
        self.settings = settings
        self._photos, self._dev, self._pictures = train.photos, dev, pictures
        self._identities = identity_numbers(train)
        self._queries = [
            q for q in train.queries if pictures is None or pictures.has(train.photos[q.photo])
        ]

    def rows(self, epoch: int) -> Sequence[Row]:
        """Return the queries whose photo can be looked at; with random rounds, a prefix of each."""
        if self.settings.rounds == "all":
            return [Row(query, epoch) for query in self._queries]
        seed = self.settings.training.seed
        return [
            Row(retained(query, number, seed=seed, epoch=epoch), epoch)
            for number, query in enumerate(self._queries)
        ]

    def tokens(self, row: Row) -> int:
        """Return how many words the model is given of the talk."""
        return words_of(said(row.query, self.settings.speakers, self.settings.last_turns))

    def rate_factor(self, name: str, fresh: float) -> float:
        """Return what the model wants a parameter's rate multiplied by."""
        return self.retriever.matcher.rate_factor(name, fresh)

    def cut(self, rows: Rows, processes: int) -> list[Rows]:
        """Cut a step into parts of equal size, one a process if memory allows."""
        size = min(self.settings.pairs_at_once, -(-len(rows) // processes))
        return [rows[start : start + size] for start in range(0, len(rows), size)]

    def collate(self, rows: Sequence[Row]) -> Batch:
        """Lay out queries and their photos side by side in one batch."""
        feeder = self.retriever.feeder
        queries = feeder.queries([row.query for row in rows])
        seen = [self._photos[row.query.photo] for row in rows]
        photos = feeder.photos(seen)
        if self.settings.augment and "pixels" in photos:
            seed, keys = self.settings.training.seed, [photo.key for photo in seen]
            photos[_VIEWS] = views(keys, seed=seed, epoch=rows[0].epoch)
        return {
            **{_QUERY + name: tensor for name, tensor in queries.items()},
            **{_PHOTO + name: tensor for name, tensor in photos.items()},
            _IDENTITY: torch.tensor([self._identities[row.query.photo] for row in rows]),
        }

    def step_loss(
        self, model: nn.Module, batches: list[tuple[Batch, bool]], accelerator: Accelerator
    ) -> Tensor:
        """Leave the gradient of the step's mean loss in the parameters; return the loss.

        Raises:
            DataError: memory ran out.
        """
        matcher = cast(Matcher, accelerator.unwrap_model(model))

        def loss(queries: Representations, photos: Representations, identities: Tensor) -> Tensor:
            return matcher.loss(queries, photos, identities, self.settings)

        try:
            parts = [self._part(batch, counts, accelerator) for batch, counts in batches]
            return step_gradient(matcher, parts, loss, accelerator)
        except torch.OutOfMemoryError as error:
            raise _out_of_memory(self.settings) from error

    def _part(self, batch: Batch, counts: bool, accelerator: Accelerator) -> Part:
        moved = {n: t.to(accelerator.device, non_blocking=True) for n, t in batch.items()}
        photos = _under(moved, _PHOTO)
        if _VIEWS in photos:
            photos["pixels"] = prepare(photos["pixels"], photos.pop(_VIEWS), normal=_BYTES)
        return Part(_under(moved, _QUERY), photos, moved[_IDENTITY], counts)

    def evaluate(self, model: nn.Module, accelerator: Accelerator) -> dict[str, float]:
        """Return dev metrics; the sum of recalls, by which the model is kept, first."""
        matcher = cast(Any, accelerator.unwrap_model(model))
        retriever = self.retriever._replace(matcher=matcher)
        return dev_metrics(ranks_in(retriever, self._dev, accelerator, self._pictures))

    def save(self, state: dict[str, Tensor], folder: Path) -> None:
        """Write the model."""
        self.retriever.save(state, folder)


def dev_metrics(ranks: Ranks) -> dict[str, float]:
    """Return recalls, their sum and MRR, in percent, the sum first (section 5)."""
    found = {n: e.value for n, e in retrieval_metrics(ranks, resamples=1).items()}
    return {"sum": found.pop("sum"), **found}


def _under(batch: Batch, prefix: str) -> Batch:
    return {n.removeprefix(prefix): t for n, t in batch.items() if n.startswith(prefix)}


def _out_of_memory(settings: RetrievalSettings) -> DataError:
    less = [f"--pairs-at-once {max(settings.pairs_at_once // 2, 1)}"]
    if settings.training.precision == "fp32":
        less.append("--precision bf16")
    if not settings.training.checkpoint_gradients:
        less.append("--checkpoint-gradients")
    return DataError(
        f"out of memory on {settings.pairs_at_once} pairs at once: add {', or '.join(less)}; "
        "then --resume goes on from the last checkpoint"
    )
