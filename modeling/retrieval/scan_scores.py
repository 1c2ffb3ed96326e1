"""SCAN's stacked cross attention between the words of texts and the regions of pictures.

Lee et al. 2018 (arXiv 1803.08024, section 3). For a text's words w_l and a picture's regions v_r,
all of length one, s_lr = cos(w_l, v_r). Text to image, each word attends to the regions:

    n_lr = relu'(s_lr) / ||relu'(s_.r)||_2     over the words of the text, for each region
    a_lr = softmax_r(temperature * n_lr)
    R_l  = cos(w_l, sum_r a_lr v_r)

and the score pools R_l over words, by their mean (AVG) or by log-sum-exp (LSE). Image to text is
the same with words and regions exchanged. relu' keeps a tenth of what is negative, as the authors'
code does.

The attended vector is never made: its product with w_l is sum_r a_lr s_lr, and its length comes
from the regions' products with each other, so a pair of text and picture costs words x regions x
(width + regions) instead of twice words x regions x width, in one matrix product over many pairs.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from modeling.retrieval.settings import Direction, Gathering

NEGATIVE_SLOPE = 0.1
# The authors' settings for Flickr30K and MSCOCO; the paper's section 4.3 names 9 and 6, 4 and 5.
ATTENTION_TEMPERATURE: dict[Direction, float] = {"t-i": 9.0, "i-t": 4.0}
GATHERING_TEMPERATURE: dict[Direction, float] = {"t-i": 6.0, "i-t": 5.0}
MEMORY = 256 * 2**20  # bytes of intermediate results at a time
_EPSILON = 1e-8
_COPIES = 5  # tensors of the size of s alive at once


class Attention(NamedTuple):
    """How words and regions look at each other."""

    direction: Direction = "t-i"
    gathering: Gathering = "avg"
    temperature: float = ATTENTION_TEMPERATURE["t-i"]
    gathering_temperature: float = GATHERING_TEMPERATURE["t-i"]


def scan_scores(
    words: Tensor,
    mask: Tensor,
    regions: Tensor,
    attention: Attention = Attention(),  # noqa: B008
    *,
    memory: int = MEMORY,
) -> Tensor:
    """Return the scores (texts, pictures) of all pairs.

    `words` (texts, longest, width) and `regions` (pictures, regions, width) have length one along
    the width; `mask` (texts, longest) is 0 at padding, which no result depends on. At most about
    `memory` bytes of intermediate results are held at a time, but those of one pair always are
    (with gradients, autograd keeps what it needs beyond that).
    """
    if not len(words):
        return words.new_zeros(0, len(regions))
    lengths = mask.sum(1)
    order = torch.argsort(lengths, stable=True)
    region_products = regions @ regions.mT  # (pictures, regions, regions)
    pair = words.shape[1] * regions.shape[1] * regions.element_size() * _COPIES
    pairs = max(memory // max(pair, 1), 1)
    texts = min(max(int(pairs**0.5), 1), len(words))
    pictures = max(pairs // texts, 1)
    rows = []
    for chosen in torch.split(order, texts):
        longest = max(int(lengths[chosen[-1]]), 1)
        some, real = words[chosen, :longest], mask[chosen, :longest].bool()
        products = some @ some.mT
        parts = [
            _block(
                some,
                real,
                products,
                regions[at : at + pictures],
                region_products[at : at + pictures],
                attention,
            )
            for at in range(0, len(regions), pictures)
        ]
        rows.append(torch.cat(parts, dim=1) if parts else some.new_zeros(len(chosen), 0))
    return torch.cat(rows)[torch.argsort(order)]


def _block(
    words: Tensor,
    real: Tensor,
    word_products: Tensor,
    regions: Tensor,
    region_products: Tensor,
    attention: Attention,
) -> Tensor:
    """Score some texts (t, l, d) against some pictures (p, r, d): (t, p)."""
    texts, longest, width = words.shape
    pictures, count, _ = regions.shape
    flat = words.reshape(-1, width) @ regions.reshape(-1, width).T
    s = flat.view(texts, longest, pictures, count).permute(2, 0, 1, 3)  # (p, t, l, r)
    seen = F.leaky_relu(s, NEGATIVE_SLOPE)
    if attention.direction == "t-i":
        seen = seen * real[None, :, :, None]  # or padding would weigh in the length
        seen = seen / (_root(seen.square().sum(2, keepdim=True)) + _EPSILON)
        weights = (attention.temperature * seen).softmax(dim=3)
        length = _length(weights.reshape(pictures, -1, count), region_products)
        cosine = (weights * s).sum(3) / length.view(pictures, texts, longest).clamp(min=_EPSILON)
        pooled = _pooled(cosine, real[None], attention)
    else:
        seen = seen / (_root(seen.square().sum(3, keepdim=True)) + _EPSILON)
        hidden = (attention.temperature * seen).masked_fill(~real[None, :, :, None], -torch.inf)
        # A text without a word attends to nothing, rather than to what is no number.
        weights = hidden.softmax(dim=2).nan_to_num(0.0)
        turned = weights.permute(1, 0, 3, 2).reshape(texts, pictures * count, longest)
        length = _length(turned, word_products).view(texts, pictures, count).transpose(0, 1)
        cosine = (weights * s).sum(2) / length.clamp(min=_EPSILON)
        pooled = _pooled(cosine, torch.ones_like(cosine, dtype=torch.bool), attention)
    return pooled.T


def _length(weights: Tensor, products: Tensor) -> Tensor:
    """Return the lengths of the sums of vectors that `weights` (b, n, m) weigh.

    `products` (b, m, m) are the vectors' products with each other. The result is (b, n).
    """
    return _root(((weights @ products) * weights).sum(2))


def _root(squared: Tensor) -> Tensor:
    """Return the root: at 0, where rounding may end up below, it has no slope."""
    return squared.clamp(min=_EPSILON**2).sqrt()


def _pooled(cosine: Tensor, real: Tensor, attention: Attention) -> Tensor:
    """Pool the cosines (p, t, n) over their last dimension, where they are real."""
    if attention.gathering == "avg":
        return (cosine * real).sum(2) / real.sum(2).clamp(min=1)
    temperature = attention.gathering_temperature
    scaled = (temperature * cosine).masked_fill(~real, -torch.inf)
    empty = ~real.any(2)
    pooled = scaled.masked_fill(empty[..., None], 0.0).logsumexp(2) / temperature
    return pooled.masked_fill(empty, 0.0)
