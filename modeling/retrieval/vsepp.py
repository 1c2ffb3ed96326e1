"""VSE++ (arXiv 1707.05612): a GRU reads the talk, a convolutional network sees the photo.

Section 6.2 of the PhotoChat paper: both are projected linearly into the joint space, and the score
is the product of vectors of length one. The hardest negative of the batch makes the loss
(`max-of-hinges`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from modeling.backbones.image import RANDOM, load_image_tower
from modeling.retrieval.matcher import Batch, Matcher, Pictures, Representations, Retriever
from modeling.retrieval.settings import RetrievalSettings, VseSettings
from modeling.retrieval.whole_weights import load_weights
from modeling.retrieval.word_feeder import WordFeeder, saver, vocabulary
from modeling.retrieval.word_gru import WordGru


class VsePlusPlus(Matcher):
    """`image` turns pixels into vectors of `image_width`; words are ids below `words`."""

    def __init__(
        self,
        image: nn.Module,
        image_width: int,
        words: int,
        width: int,
        *,
        temperature: float = 1.0,
        learn_temperature: bool = False,
    ) -> None:
        super().__init__(temperature, learn_temperature)
        self.image = image
        self.head_text = WordGru(words, width, both_ways=False)
        self.head_image = nn.Linear(image_width, width)
        nn.init.xavier_uniform_(self.head_image.weight)
        nn.init.zeros_(self.head_image.bias)

    def queries(self, batch: Batch) -> Representations:
        """Return the last word's state of each talk, at length one."""
        lengths = batch["mask"].sum(1)
        rows = torch.arange(len(lengths), device=lengths.device)
        return self.rounds({**batch, "row": rows, "length": lengths})

    def rounds(self, batch: Batch) -> Representations:
        """Return the state after each of the prefixes in `batch` (`TurnTokens.rounds`)."""
        states = self.head_text(batch["ids"], batch["mask"])
        last = states[batch["row"], batch["length"].clamp(min=1) - 1]
        return {"vector": F.normalize(last, dim=1)}

    def photos(self, batch: Batch) -> Representations:
        """Return the projected vector of each picture, at length one."""
        seen: Tensor = self.head_image(self.image(batch["pixels"]))
        return {"vector": F.normalize(seen, dim=1)}


def build_vsepp(
    settings: RetrievalSettings,
    texts: Sequence[str],
    pictures: Pictures | None,
    weights: Path | None,
) -> Retriever:
    """Make a VSE++ with a vocabulary of `texts`, or load one that was saved to `weights`.

    Raises:
        DataError: the image network cannot be had, or `weights` are of another model.
    """
    model = cast(VseSettings, settings.model)
    torch.manual_seed(settings.training.seed)
    tokenizer = vocabulary(texts, weights)
    image = load_image_tower(model.image, model.image_weights if weights is None else RANDOM)
    matcher = VsePlusPlus(
        image,
        image.width,
        len(tokenizer),
        model.width,
        temperature=settings.temperature,
        learn_temperature=settings.learn_temperature,
    )
    if weights is not None:
        load_weights(matcher, weights)
    return Retriever(matcher, WordFeeder(tokenizer, settings, pictures), saver(tokenizer))
