"""The losses of section 6.2 over all pairs of a step: cross entropy, sum and maximum of hinges.

Row i of `scores` is a query, column i the photo that came with it. Every other pair of the step is
a negative, both ways, but for pairs of the same photo, which are neither right nor wrong.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from modeling.retrieval.settings import LossName


def negatives(identities: Tensor) -> Tensor:
    """Return which pairs are negatives of each other, (pairs, pairs): those of other photos."""
    return identities[:, None] != identities[None, :]


def cross_entropy(scores: Tensor, negative: Tensor, margin: float = 0.0) -> Tensor:
    """Return the in-batch cross entropies of photo given query plus query given photo, (pairs,).

    l_sm of section 6.2. `scores` (pairs, pairs) are multiplied by the scale already; `margin` is
    not used.
    """
    right = scores.diagonal()
    seen = negative | torch.eye(len(scores), dtype=torch.bool, device=scores.device)
    known = scores.masked_fill(~seen, -torch.inf)
    return known.logsumexp(1) + known.logsumexp(0) - 2 * right


def sum_of_hinges(scores: Tensor, negative: Tensor, margin: float) -> Tensor:
    """Return the sums of [margin - right + wrong]+ over all negatives both ways, (pairs,): l_sh."""
    by_photo, by_query = _hinges(scores, negative, margin)
    return by_photo.sum(1) + by_query.sum(0)


def max_of_hinges(scores: Tensor, negative: Tensor, margin: float) -> Tensor:
    """Return [margin - right + wrong]+ of the hardest negative each way, (pairs,): l_mh, VSE++."""
    by_photo, by_query = _hinges(scores, negative, margin)
    return by_photo.amax(1) + by_query.amax(0)


def _hinges(scores: Tensor, negative: Tensor, margin: float) -> tuple[Tensor, Tensor]:
    """Return the hinges of each query's photos and of each photo's queries, 0 where not wrong."""
    right = scores.diagonal()
    by_photo = (margin - right[:, None] + scores).clamp(min=0) * negative
    by_query = (margin - right[None, :] + scores).clamp(min=0) * negative
    return by_photo, by_query


# Scores (pairs, pairs), negatives (pairs, pairs), margin -> losses (pairs,).
LOSSES: dict[LossName, Callable[[Tensor, Tensor, float], Tensor]] = {
    "cross-entropy": cross_entropy,
    "sum-of-hinges": sum_of_hinges,
    "max-of-hinges": max_of_hinges,
}


def pair_loss(
    scores: Tensor, identities: Tensor, kind: LossName, *, scale: Tensor | float, margin: float
) -> Tensor:
    """Return the mean loss of the pairs. `scale` multiplies scores in the cross entropy alone.

    `scores` (pairs, pairs); `identities` (pairs,) are equal for pairs of the same photo.
    """
    scores = scores.float()
    if kind == "cross-entropy":
        scores = scores * scale
    return LOSSES[kind](scores, negatives(identities), margin).mean()
