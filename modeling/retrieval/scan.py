"""SCAN (arXiv 1803.08024): words of the talk and regions of the photo attend to each other.

A bidirectional GRU reads the talk, its directions averaged. A photo is its regions: vectors that an
object detector made of them, or, our variant for when there is none, the cells of an image
network's last grid, as a ViT's patches are. Both are brought to length one, and `scan_scores`
compares them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from modeling.backbones.image import RANDOM, ImageTower, load_image_tower
from modeling.retrieval.matcher import Batch, Matcher, Pictures, Representations, Retriever
from modeling.retrieval.scan_scores import MEMORY, Attention, scan_scores
from modeling.retrieval.settings import RetrievalSettings, ScanSettings
from modeling.retrieval.whole_weights import load_weights
from modeling.retrieval.word_feeder import WordFeeder, saver, vocabulary
from modeling.retrieval.word_gru import WordGru


class Scan(Matcher):
    """`image` turns pixels into grids of cells; None: regions of `region_width` are given."""

    def __init__(
        self,
        image: ImageTower | None,
        region_width: int,
        words: int,
        width: int,
        *,
        attention: Attention = Attention(),  # noqa: B008
        memory: int = MEMORY,
        temperature: float = 1.0,
        learn_temperature: bool = False,
    ) -> None:
        super().__init__(temperature, learn_temperature)
        self.image = image
        self.attention, self.memory = attention, memory
        self.head_text = WordGru(words, width, both_ways=True)
        self.head_image = nn.Linear(region_width, width)
        nn.init.xavier_uniform_(self.head_image.weight)
        nn.init.zeros_(self.head_image.bias)

    def queries(self, batch: Batch) -> Representations:
        """Return "words" (queries, longest, width) and their "mask"."""
        states = self.head_text(batch["ids"], batch["mask"])
        return {"words": F.normalize(states, dim=2), "mask": batch["mask"]}

    def photos(self, batch: Batch) -> Representations:
        """Return "regions" (photos, regions, width)."""
        seen = batch["regions"] if self.image is None else self.image.cells(batch["pixels"])
        projected: Tensor = self.head_image(seen)
        return {"regions": F.normalize(projected, dim=2)}

    def scores(self, queries: Representations, photos: Representations) -> Tensor:
        """Return the scores (queries, photos) of cross attention."""
        return scan_scores(
            queries["words"],
            queries["mask"],
            photos["regions"],
            self.attention,
            memory=self.memory,
        )


def build_scan(
    settings: RetrievalSettings,
    texts: Sequence[str],
    pictures: Pictures | None,
    weights: Path | None,
) -> Retriever:
    """Make a SCAN with a vocabulary of `texts`, or load one that was saved to `weights`.

    Raises:
        DataError: the image network cannot be had, or `weights` are of another model.
    """
    model = cast(ScanSettings, settings.model)
    torch.manual_seed(settings.training.seed)
    tokenizer = vocabulary(texts, weights)
    image = None
    if model.image is not None:
        image = load_image_tower(model.image, model.image_weights if weights is None else RANDOM)
    matcher = Scan(
        image,
        model.region_width if image is None else image.width,
        len(tokenizer),
        model.width,
        attention=Attention(
            model.direction,
            model.gathering,
            model.attention_temperature,
            model.gathering_temperature,
        ),
        memory=model.memory,
        temperature=settings.temperature,
        learn_temperature=settings.learn_temperature,
    )
    if weights is not None:
        load_weights(matcher, weights)
    place = "regions" if image is None else "pixels"
    return Retriever(matcher, WordFeeder(tokenizer, settings, pictures, place), saver(tokenizer))
