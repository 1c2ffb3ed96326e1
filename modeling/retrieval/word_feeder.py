"""What the models with a vocabulary of their own are fed with, and how they are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor
from transformers import PreTrainedTokenizerFast

from modeling.backbones.scratch import word_tokenizer
from modeling.backbones.text import quiet_transformers
from modeling.retrieval.examples import GalleryPhoto, Query
from modeling.retrieval.matcher import Batch, Pictures
from modeling.retrieval.settings import RetrievalSettings
from modeling.retrieval.turn_tokens import TurnTokens
from modeling.retrieval.whole_weights import save_weights
from photochat.errors import DataError

VOCABULARY = 20_000  # words at most, the most frequent; MSCOCO's captions have some 11,000 often


class WordFeeder:
    """Words of talks, and pictures (or regions) of photos."""

    def __init__(
        self,
        tokenizer: Any,
        settings: RetrievalSettings,
        pictures: Pictures | None,
        place: str = "pixels",
    ) -> None:
        self._turns = TurnTokens(tokenizer, settings)
        self._pictures, self._place = pictures, place

    def queries(self, queries: Sequence[Query]) -> Batch:
        """Return "ids" and "mask" of the talks."""
        return self._turns.batch(queries)

    def rounds(self, queries: Sequence[Query]) -> Batch:
        """Return all prefixes of the talks, for models that read them in one pass."""
        return self._turns.rounds(queries)

    def photos(self, photos: Sequence[GalleryPhoto]) -> Batch:
        """Return "pixels" or "regions"."""
        if self._pictures is None:
            raise DataError("this model looks at pictures: name their folder with --images")
        return {self._place: self._pictures.pixels(photos)}


def vocabulary(texts: Sequence[str], weights: Path | None) -> Any:
    """Return a tokenizer of the words in `texts`, or the one that was saved to `weights`.

    Raises:
        DataError: none was saved there.
    """
    if weights is None:
        return word_tokenizer(texts, VOCABULARY)
    load: Any = PreTrainedTokenizerFast.from_pretrained
    try:
        return load(weights)
    except (OSError, ValueError) as error:
        raise DataError("holds no vocabulary", file=weights) from error


def saver(tokenizer: Any) -> Callable[[dict[str, Tensor], Path], None]:
    """Return what writes weights and vocabulary into a folder."""

    def save(state: dict[str, Tensor], folder: Path) -> None:
        quiet_transformers()
        tokenizer.save_pretrained(folder)
        save_weights(state, folder)

    return save
