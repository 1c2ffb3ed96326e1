"""DiaNA made, fed, kept and loaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from modeling.backbones.image import RANDOM, load_image_tower
from modeling.retrieval.diana import Diana
from modeling.retrieval.examples import GalleryPhoto, Query
from modeling.retrieval.matcher import Batch, Pictures, Retriever
from modeling.retrieval.settings import DianaSettings, RetrievalSettings
from modeling.retrieval.text_towers import (
    TextInput,
    TextTower,
    load_text_tower,
    save_text_tower,
)
from modeling.retrieval.texts import said, shown
from modeling.retrieval.turn_tokens import TurnTokens
from modeling.retrieval.whole_weights import load_weights, save_weights
from photochat.errors import DataError

_TEXT = "text"


class BothWaysFeeder:
    """Lays dialogues out for an encoder that reads both ways; pictures, or labels as text."""

    def __init__(
        self, text: TextInput, settings: RetrievalSettings, pictures: Pictures | None, labels: bool
    ) -> None:
        self._text, self._settings = text, settings
        self._pictures, self._labels = pictures, labels

    def queries(self, queries: Sequence[Query]) -> Batch:
        """Return "ids" and "mask" of the dialogues, their utterances in one line."""
        settings = self._settings
        talks = [said(query, settings.speakers, settings.last_turns) for query in queries]
        return self._text.batch([" ".join(turn.text for turn in turns) for turns in talks])

    def photos(self, photos: Sequence[GalleryPhoto]) -> Batch:
        """Return "pixels", or "ids" and "mask" of the labels."""
        if self._labels:
            return self._text.batch([shown(p, self._settings.persona) for p in photos])
        if self._pictures is None:
            raise DataError("this model looks at pictures: name their folder with --images")
        return {"pixels": self._pictures.pixels(photos)}


class OneWayFeeder(BothWaysFeeder):
    """Lays dialogues out for a language model, which can be read out after every round."""

    def __init__(
        self, text: TextInput, settings: RetrievalSettings, pictures: Pictures | None, labels: bool
    ) -> None:
        super().__init__(text, settings, pictures, labels)
        line_end = text.tokenizer("\n", add_special_tokens=False)["input_ids"]
        self._turns = TurnTokens(text.tokenizer, settings, tuple(line_end))

    def queries(self, queries: Sequence[Query]) -> Batch:
        """Return "ids" and "mask" of the dialogues, a turn a line."""
        return self._turns.batch(queries)

    def rounds(self, queries: Sequence[Query]) -> Batch:
        """Return all prefixes of the dialogues, to be read in one pass."""
        return self._turns.rounds(queries)


def build_diana(
    settings: RetrievalSettings,
    texts: Sequence[str],
    pictures: Pictures | None,
    weights: Path | None,
) -> Retriever:
    """Make a DiaNA of pretrained models, or load one that was saved to `weights`.

    Raises:
        DataError: a model cannot be had, or reads both ways where its last token is asked for;
            `weights` are of another model.
    """
    model = cast(DianaSettings, settings.model)
    torch.manual_seed(settings.training.seed)
    text, text_input = load_text_tower(
        model.dialogue if weights is None else str(weights / _TEXT),
        "mean",  # pooling is done by DiaNA itself, of many prefixes at once
        settings.max_length,
        texts,
        checkpoint_gradients=settings.training.checkpoint_gradients,
    )
    one_way = model.pooling == "last"
    if one_way and not reads_one_way(text):
        raise DataError(
            "reads both ways, so its last token has seen no more than the others: "
            "add --set pooling=mean or cls, or name a language model",
            file=model.dialogue,
        )
    image = None
    if model.image is not None:
        image = load_image_tower(model.image, model.image_weights if weights is None else RANDOM)
    matcher = Diana(
        text,
        image,
        model,
        temperature=settings.temperature,
        learn_temperature=settings.learn_temperature,
    )
    if weights is not None:
        load_weights(matcher, weights, beside=_TEXT)

    def save(state: dict[str, Tensor], folder: Path) -> None:
        save_text_tower(text, text_input, state, _TEXT, folder / _TEXT)
        save_weights(state, folder, beside=_TEXT)

    feeder = OneWayFeeder if one_way else BothWaysFeeder
    return Retriever(matcher, feeder(text_input, settings, pictures, labels=image is None), save)


def reads_one_way(tower: TextTower) -> bool:
    """Tell, by trying it, whether what comes later changes nothing of an earlier token's state."""
    was_training = tower.training
    tower.eval()
    ids = torch.tensor([[1, 2, 3, 4], [1, 2, 4, 3]])
    with torch.no_grad():
        one, other = tower.states(ids, torch.ones_like(ids))
    tower.train(was_training)
    return bool(torch.allclose(one[:2], other[:2], atol=1e-5))
