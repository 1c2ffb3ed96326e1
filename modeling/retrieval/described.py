"""Queries in the words of `photochat describe`: in place of the talk, or beside it.

Any model learns from them: with "descriptors" it reads the sentences "the K of the photo is V" as
if the sharer had said them; with "both" it reads talk and descriptors apart, scores are the two
texts' scores in fixed proportions, and so is the loss. (A proportion that is learnt only falls
towards whichever term is smaller.) A talk that the file does not know is read as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from torch import Tensor

from modeling.descriptors.fields import Descriptors, descriptor_text
from modeling.descriptors.file import TalkKey, descriptors_of, read_descriptors, talk_key
from modeling.retrieval.examples import GalleryPhoto, Query
from modeling.retrieval.matcher import Batch, Feeder, Matcher, Representations, Retriever
from photochat.dialogue import Utterance
from photochat.errors import DataError

if TYPE_CHECKING:
    from modeling.retrieval.settings import RetrievalSettings

_TALK, _TOLD = "talk/", "told/"
_INNER = "one_text."


def descriptors_for(settings: RetrievalSettings) -> dict[TalkKey, Descriptors]:
    """Return the descriptors that a run reads; none when it reads the talk alone.

    Raises:
        DataError: no file is named, or it cannot be read.
    """
    if settings.text == "dialogue":
        return {}
    if settings.descriptors is None:
        raise DataError("name the file of photochat describe with --descriptors")
    return read_descriptors(settings.descriptors)


def without_descriptors(queries: Sequence[Query], described: Mapping[TalkKey, Descriptors]) -> int:
    """Return how many queries the file says nothing of."""
    return descriptors_of([query.turns for query in queries], described)[1]


def told(query: Query, described: Mapping[TalkKey, Descriptors]) -> Query:
    """Return the query with its descriptors as the sharer's only turn; itself if it has none."""
    found = described.get(talk_key(query.turns))
    text = "" if found is None else descriptor_text(found)
    if not text:
        return query
    return msgspec.structs.replace(query, turns=(Utterance(query.sharer, text),))


class ToldFeeder:
    """Lays out the descriptors of each query in the place of its talk."""

    def __init__(self, feeder: Feeder, described: Mapping[TalkKey, Descriptors]) -> None:
        self._feeder = feeder
        self._described = described

    def queries(self, queries: Sequence[Query]) -> Batch:
        """Return a batch of what was told of each query's photo."""
        return self._feeder.queries([told(query, self._described) for query in queries])

    def photos(self, photos: Sequence[GalleryPhoto]) -> Batch:
        """Return a batch of photos."""
        return self._feeder.photos(photos)


class BothFeeder:
    """Lays out the talk and the descriptors of each query side by side."""

    def __init__(self, feeder: Feeder, described: Mapping[TalkKey, Descriptors]) -> None:
        self._talk = feeder
        self._told = ToldFeeder(feeder, described)

    def queries(self, queries: Sequence[Query]) -> Batch:
        """Return a batch of both texts."""
        return _marked(self._talk.queries(queries), self._told.queries(queries))

    def photos(self, photos: Sequence[GalleryPhoto]) -> Batch:
        """Return a batch of photos."""
        return self._talk.photos(photos)


class TwoTexts(Matcher):
    """A model that reads two texts of each query; `weight` is the descriptors' share, 0 to 1."""

    def __init__(self, one_text: Matcher, weight: float) -> None:
        super().__init__(temperature=None)
        self.one_text = one_text
        self.weight = weight

    @property
    def log_scale(self) -> Tensor:
        """The model's own."""
        return self.one_text.log_scale

    def queries(self, batch: Batch) -> Representations:
        """Return the representations of both texts."""
        talk, descriptors = map(self.one_text.queries, _parted(batch))
        return _marked(talk, descriptors)

    def photos(self, batch: Batch) -> Representations:
        """Return the representations of photos."""
        return self.one_text.photos(batch)

    def scores(self, queries: Representations, photos: Representations) -> Tensor:
        """Return the weighted mean of the two texts' scores, (queries, photos)."""
        talk, descriptors = (self.one_text.scores(part, photos) for part in _parted(queries))
        return (1 - self.weight) * talk + self.weight * descriptors

    def loss(
        self,
        queries: Representations,
        photos: Representations,
        identities: Tensor,
        settings: RetrievalSettings,
    ) -> Tensor:
        """Return the weighted mean of the two texts' losses."""
        talk, descriptors = (
            self.one_text.loss(part, photos, identities, settings) for part in _parted(queries)
        )
        return (1 - self.weight) * talk + self.weight * descriptors

    def rate_factor(self, name: str, fresh: float) -> float:
        """Return what the model wants."""
        return self.one_text.rate_factor(name.removeprefix(_INNER), fresh)


def with_descriptors(retriever: Retriever, settings: RetrievalSettings) -> Retriever:
    """Have a model read what its settings say: the talk, descriptors, or both.

    Raises:
        DataError: the descriptors cannot be read.
    """
    if settings.text == "dialogue":
        return retriever
    described = descriptors_for(settings)
    if settings.text == "descriptors":
        return retriever._replace(feeder=ToldFeeder(retriever.feeder, described))

    def save(state: dict[str, Tensor], folder: Path) -> None:
        retriever.save({n.removeprefix(_INNER): t for n, t in state.items()}, folder)

    return retriever._replace(
        matcher=TwoTexts(retriever.matcher, settings.descriptor_weight),
        feeder=BothFeeder(retriever.feeder, described),
        save=save,
    )


def words_told(settings: RetrievalSettings) -> list[str]:
    """Return the texts that a vocabulary from scratch should know beside the talks."""
    return [descriptor_text(one) for one in descriptors_for(settings).values()]


def _marked(talk: Batch, descriptors: Batch) -> Batch:
    return {_TALK + n: t for n, t in talk.items()} | {_TOLD + n: t for n, t in descriptors.items()}


def _parted(both: Batch) -> tuple[Batch, Batch]:
    talk, descriptors = (
        {n.removeprefix(mark): t for n, t in both.items() if n.startswith(mark)}
        for mark in (_TALK, _TOLD)
    )
    return talk, descriptors
