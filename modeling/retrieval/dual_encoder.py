"""The paper's dual encoder (section 6.2, Figure 3): talk and photo are encoded apart.

The talk goes through one BERT; the photo is its picture through a ResNet, its labels through
another BERT, or the two vectors side by side. A linear layer each leads to the joint space, where
the score is the product of vectors of length one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from modeling.backbones.image import RANDOM, ImageTower, load_image_tower
from modeling.retrieval.examples import GalleryPhoto, Query
from modeling.retrieval.label_words import LabelWords, label_words
from modeling.retrieval.matcher import Batch, Matcher, Pictures, Representations, Retriever
from modeling.retrieval.settings import DualEncoderSettings, RetrievalSettings
from modeling.retrieval.text_towers import (
    TextInput,
    TextTower,
    load_text_tower,
    save_text_tower,
)
from modeling.retrieval.texts import said, shown
from photochat.errors import UNDECODABLE, DataError

OWN = "dual_encoder.safetensors"  # image tower, heads and temperature
WORDS = "label_words.json"
_CONTEXT, _LABEL = "context", "label"


class DualEncoder(Matcher):
    """Towers and heads. With `width` None there are no heads: both sides must be of one width.

    `word_weight` is what shared words count beside the cosine, 0 for not at all.
    """

    def __init__(
        self,
        context: TextTower,
        label: TextTower | None,
        image: ImageTower | None,
        width: int | None,
        *,
        temperature: float,
        learn_temperature: bool,
        word_weight: float = 0.0,
    ) -> None:
        super().__init__(temperature, learn_temperature)
        self.word_weight = word_weight
        self.context, self.image = context, image
        # One tower for both is a part of the module once, or weights would be saved twice.
        self.label = None if label is context else label
        self._labels_by_context = label is context
        of_photo = sum(tower.width for tower in (label, image) if tower is not None)
        self.head_text = self.head_photo = None
        if width is not None:
            self.head_text = nn.Linear(context.width, width)
            self.head_photo = nn.Linear(of_photo, width)
        elif context.width != of_photo:
            raise DataError(
                f"the talk has {context.width} dimensions and the photo {of_photo}: give --width"
            )

    def queries(self, batch: Batch) -> Representations:
        """Return the talks' vectors."""
        vector = _placed(self.head_text, self.context(batch["ids"], batch["mask"]))
        return self._with_words(vector, batch)

    def photos(self, batch: Batch) -> Representations:
        """Return the photos' vectors, of labels and picture side by side."""
        seen = []
        label = self.context if self._labels_by_context else self.label
        if label is not None:
            seen.append(label(batch["ids"], batch["mask"]))
        if self.image is not None:
            seen.append(self.image(batch["pixels"]))
        return self._with_words(_placed(self.head_photo, torch.cat(seen, dim=1)), batch)

    def scores(self, queries: Representations, photos: Representations) -> Tensor:
        """Return cosines (queries, photos), and what shared words add to them."""
        scores = super().scores(queries, photos)
        if self.word_weight:
            scores = scores + self.word_weight * (queries["words"] @ photos["words"].T)
        return scores

    def _with_words(self, vector: Tensor, batch: Batch) -> Representations:
        return {"vector": vector, **({"words": batch["words"]} if self.word_weight else {})}


def _placed(head: nn.Linear | None, vectors: Tensor) -> Tensor:
    return F.normalize(vectors if head is None else head(vectors), dim=1)


class DualFeeder:
    """Lays out talks and photos for a dual encoder."""

    def __init__(
        self,
        settings: RetrievalSettings,
        context: TextInput,
        label: TextInput | None,
        pictures: Pictures | None,
        label_words: LabelWords | None = None,
    ) -> None:
        self._settings = settings
        self._context, self._label, self._pictures = context, label, pictures
        self._words = label_words

    def queries(self, queries: Sequence[Query]) -> Batch:
        """Return "ids" and "mask" of the talks, their utterances in one line.

        "words" counts the labels' words in all utterances, as BM25 does.
        """
        settings = self._settings
        turns = [said(query, settings.speakers, settings.last_turns) for query in queries]
        batch = self._context.batch([" ".join(turn.text for turn in talk) for talk in turns])
        if self._words is not None:
            whole = [" ".join(turn.text for turn in query.turns) for query in queries]
            batch["words"] = self._words.of_talks(whole)
        return batch

    def photos(self, photos: Sequence[GalleryPhoto]) -> Batch:
        """Return "ids" and "mask" of the labels and "pixels", as far as there are towers."""
        batch: Batch = {}
        texts = [shown(photo, self._settings.persona) for photo in photos]
        if self._label is not None:
            batch |= self._label.batch(texts)
        if self._words is not None:
            batch["words"] = self._words.of_photos(texts)
        if self._pictures is not None:
            batch["pixels"] = self._pictures.pixels(photos)
        return batch


def build_dual_encoder(
    settings: RetrievalSettings,
    texts: Sequence[str],
    pictures: Pictures | None,
    weights: Path | None,
    label_texts: Sequence[str] = (),
) -> Retriever:
    """Make a dual encoder of pretrained models, or load one that was saved to `weights`.

    `label_texts` are what the training gallery shows in words, one text a photo.

    Raises:
        DataError: a model cannot be had, or `weights` are of another one.
    """
    model = settings.model
    assert isinstance(model, DualEncoderSettings)
    torch.manual_seed(settings.training.seed)  # the heads start at random

    def text_tower(name: str, place: str) -> tuple[TextTower, TextInput]:
        source = name if weights is None else str(weights / place)
        return load_text_tower(
            source,
            model.pooling,
            settings.max_length,
            texts,
            checkpoint_gradients=settings.training.checkpoint_gradients,
        )

    context, context_input = text_tower(model.context, _CONTEXT)
    label: TextTower | None = None
    label_input: TextInput | None = None
    if model.towers != "image":
        if model.one_text_tower:
            label, label_input = context, context_input
        else:
            label, label_input = text_tower(model.label, _LABEL)
    image = None
    if model.towers != "label":
        image = load_image_tower(model.image, model.image_weights if weights is None else RANDOM)
    matcher = DualEncoder(
        context,
        label,
        image,
        model.width,
        temperature=settings.temperature,
        learn_temperature=settings.learn_temperature,
        word_weight=model.word_weight,
    )
    if weights is not None:
        _load_own(matcher, weights / OWN)
    known = None
    if model.word_weight:
        known = label_words(label_texts) if weights is None else _read_words(weights / WORDS)

    def save(state: dict[str, Tensor], folder: Path) -> None:
        save_text_tower(context, context_input, state, _CONTEXT, folder / _CONTEXT)
        if label is not None and label_input is not None and not model.one_text_tower:
            save_text_tower(label, label_input, state, _LABEL, folder / _LABEL)
        own = {n: t.contiguous().cpu() for n, t in state.items() if _is_own(n)}
        save_file(own, folder / OWN)
        if known is not None:
            (folder / WORDS).write_bytes(msgspec.json.encode(known))

    feeder = DualFeeder(settings, context_input, label_input, pictures, known)
    return Retriever(matcher, feeder, save)


def _read_words(file: Path) -> LabelWords:
    try:
        return msgspec.json.decode(file.read_bytes(), type=LabelWords)
    except (OSError, *UNDECODABLE) as error:
        raise DataError(f"cannot be loaded ({error})", file=file) from error


def _is_own(name: str) -> bool:
    return not name.startswith((f"{_CONTEXT}.", f"{_LABEL}."))


def _load_own(matcher: DualEncoder, file: Path) -> None:
    try:
        state = load_file(file)
        matcher.load_state_dict(state, strict=False)
    except (OSError, SafetensorError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:160]
        raise DataError(f"cannot be loaded ({reason})", file=file) from error
    if set(state) != {name for name in matcher.state_dict() if _is_own(name)}:
        raise DataError("is of another model", file=file)
