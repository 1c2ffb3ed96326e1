"""Losses of items that are Gaussians rather than points: those of PCME (arXiv 2101.05068).

An item is N(mean, diag(exp(log_variance))), from which J vectors z are drawn. A query and a photo
match with the probability (section 3.2)

    p = 1 / J^2 sum_j sum_k sigmoid(-slope |z_j - z_k| + shift)

and a pair's loss is -log p where it is right, else -log(1 - p). Two more terms keep the
Gaussians from shrinking to points and from lying upon each other: their divergence from N(0, 1)
and the uniformity of what was drawn.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

UNIFORMITY_RATE = 2.0  # the t of exp(-t |z - z'|^2), Wang and Isola, arXiv 2005.10242


def drawn(mean: Tensor, log_variance: Tensor, samples: int) -> Tensor:
    """Draw (items, samples, width) from Gaussians of (items, width), by torch's generator."""
    noise = torch.randn(len(mean), samples, mean.shape[1], dtype=mean.dtype, device=mean.device)
    return mean[:, None] + noise * (log_variance / 2).exp()[:, None]


def soft_contrastive(
    queries: Tensor, photos: Tensor, right: Tensor, slope: Tensor, shift: Tensor
) -> Tensor:
    """Return the loss of all pairs, added up over photos, the mean over queries.

    `queries` and `photos` are drawn vectors (items, J, width); `right` (queries, photos) is 1
    where a pair is right, else 0.
    """
    count, samples = queries.shape[:2]
    distances = torch.cdist(queries.flatten(0, 1), photos.flatten(0, 1))
    by_pair = distances.view(count, samples, len(photos), photos.shape[1]).transpose(1, 2)
    logits = (shift - slope * by_pair).flatten(2)
    log_of = math.log(logits.shape[2])
    log_match = F.logsigmoid(logits).logsumexp(2) - log_of
    log_other = F.logsigmoid(-logits).logsumexp(2) - log_of
    return -torch.where(right.bool(), log_match, log_other).sum(1).mean()


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return KL(N(mean, variance) || N(0, 1)) of (items, width), the mean over items."""
    by_number = mean**2 + log_variance.exp() - log_variance - 1
    return by_number.sum(1).mean() / 2


def uniformity(vectors: Tensor) -> Tensor:
    """Return the mean of exp(-2 |z - z'|^2) over all pairs of (vectors, width)."""
    return (-UNIFORMITY_RATE * F.pdist(vectors) ** 2).exp().mean()
