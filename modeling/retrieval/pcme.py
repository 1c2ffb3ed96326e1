"""PCME (arXiv 2101.05068): a talk and a photo are Gaussians, since either may have many matches.

Mean and variance of an item come from its whole and from those of its parts (words, cells of the
last grid) that an attention picks. Training draws vectors from both sides (`gaussian_losses`);
photos are ranked by the cosine of the means, which needs no drawing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from modeling.backbones.image import RANDOM, ImageTower, load_image_tower
from modeling.retrieval.gaussian_losses import divergence, drawn, soft_contrastive, uniformity
from modeling.retrieval.identity_losses import same_identity
from modeling.retrieval.matcher import Batch, Matcher, Pictures, Representations, Retriever
from modeling.retrieval.settings import PcmeSettings, RetrievalSettings
from modeling.retrieval.whole_weights import load_weights
from modeling.retrieval.word_feeder import WordFeeder, saver, vocabulary
from modeling.retrieval.word_gru import WordGru

# What the match probability starts with: the authors' 5 (for birds), and their sigmoid doubles it.
SLOPE = SHIFT = 10.0


class PartAttention(nn.Module):
    """softmax(w2 tanh(w1 part)) over an item's parts, and their sum by it, projected."""

    def __init__(self, seen: int, width: int) -> None:
        super().__init__()
        self.first = nn.Linear(seen, max(seen // 2, 1), bias=False)
        self.second = nn.Linear(max(seen // 2, 1), 1, bias=False)
        self.out = nn.Linear(seen, width)

    def forward(self, parts: Tensor, mask: Tensor) -> Tensor:
        """Return (items, width) of `parts` (items, n, seen), of which `mask` marks the real."""
        weights = self.second(torch.tanh(self.first(parts)))[:, :, 0]
        shares = weights.masked_fill(~mask, -torch.inf).softmax(1)
        found: Tensor = self.out((shares[:, :, None] * parts).sum(1))
        return found


class GaussianHead(nn.Module):
    """Mean and log variance of items, each a projection of the whole plus an attention's finding.

    Section 3.2: the mean goes through a sigmoid on the attention's side, layer norm and to length
    one; the variance through none of them. Variances start such that noise is about as long as
    the mean: our choice, without which wide spaces start as noise alone.
    """

    def __init__(self, seen: int, width: int) -> None:
        super().__init__()
        self.mean, self.spread = nn.Linear(seen, width), nn.Linear(seen, width)
        self.mean_parts, self.spread_parts = PartAttention(seen, width), PartAttention(seen, width)
        self.norm = nn.LayerNorm(width)
        nn.init.constant_(self.spread.bias, -math.log(width))

    def forward(self, parts: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log variance (items, width) of `parts` (items, n, seen)."""
        kept = mask[:, :, None].to(parts.dtype)
        whole = (parts * kept).sum(1) / kept.sum(1)
        mean = self.norm(self.mean(whole) + self.mean_parts(parts, mask).sigmoid())
        spread: Tensor = self.spread(whole) + self.spread_parts(parts, mask)
        return F.normalize(mean, dim=1), spread


class Pcme(Matcher):
    """A GRU in both directions reads words, whose ids are below `words`; `image` sees pictures."""

    def __init__(self, image: ImageTower, words: int, model: PcmeSettings) -> None:
        super().__init__()
        self.image, self.model = image, model
        self.head_words = WordGru(words, model.width, both_ways=True)
        self.head_text = GaussianHead(model.width, model.width)
        self.head_image = GaussianHead(image.width, model.width)
        self.slope = nn.Parameter(torch.tensor(SLOPE))
        self.shift = nn.Parameter(torch.tensor(SHIFT))

    def queries(self, batch: Batch) -> Representations:
        """Return the talks' means as "vector"; in training "log_variance" and what is "drawn"."""
        mask = batch["mask"].bool()
        return self._gaussians(*self.head_text(self.head_words(batch["ids"], mask), mask))

    def photos(self, batch: Batch) -> Representations:
        """Return the same of photos."""
        cells = self.image.cells(batch["pixels"])
        mask = torch.ones(cells.shape[:2], dtype=torch.bool, device=cells.device)
        return self._gaussians(*self.head_image(cells, mask))

    def _gaussians(self, mean: Tensor, log_variance: Tensor) -> Representations:
        if not self.training:
            return {"vector": mean}
        samples = drawn(mean.float(), log_variance.float(), self.model.samples)
        return {"vector": mean, "log_variance": log_variance, "drawn": samples}

    def loss(
        self,
        queries: Representations,
        photos: Representations,
        identities: Tensor,
        settings: RetrievalSettings,
    ) -> Tensor:
        """Return the soft contrastive loss and the two terms beside it."""
        right = same_identity(identities)
        total = soft_contrastive(queries["drawn"], photos["drawn"], right, self.slope, self.shift)
        if self.model.divergence:
            for side in (queries, photos):
                own = divergence(side["vector"].float(), side["log_variance"].float())
                total = total + self.model.divergence * own
        if self.model.uniformity:
            everything = torch.cat([queries["drawn"], photos["drawn"]]).flatten(0, 1)
            total = total + self.model.uniformity * uniformity(everything)
        return total


def build_pcme(
    settings: RetrievalSettings,
    texts: Sequence[str],
    pictures: Pictures | None,
    weights: Path | None,
) -> Retriever:
    """Make a PCME with a vocabulary of `texts`, or load one that was saved to `weights`.

    Raises:
        DataError: the image network cannot be had, or `weights` are of another model.
    """
    model = cast(PcmeSettings, settings.model)
    torch.manual_seed(settings.training.seed)
    tokenizer = vocabulary(texts, weights)
    image = load_image_tower(model.image, model.image_weights if weights is None else RANDOM)
    matcher = Pcme(image, len(tokenizer), model)
    if weights is not None:
        load_weights(matcher, weights)
    return Retriever(matcher, WordFeeder(tokenizer, settings, pictures), saver(tokenizer))
