"""The equations of Int-RA (section 4 of arXiv 2403.05427) on tensors, without weights or models.

n counts conversations, s stickers, a = 4 attributes, r regions of a picture, d the width.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from modeling.stickers.settings import Positive, Relation


def pooled(states: Tensor, mask: Tensor, *, mean: bool) -> Tensor:
    """Return one vector (n, d) of token states (n, tokens, d): the first, or the mean of all.

    `mask` (n, tokens) is 1 for tokens and 0 for padding.
    """
    if not mean:
        return states[:, 0]
    weights = mask.to(states.dtype)[:, :, None]
    return (states * weights).sum(1) / weights.sum(1).clamp(min=1)


def attention(query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    """Return M_j of equation 11, (s, a, d): each attribute's view of the regions.

    `query` is h^A W^Q (s, a, d), `key` h^I W^K and `value` h^I W^V (s, r, d). Each of `heads`
    parallel layers has d_k = d_v = d_q = d / heads; their results stand side by side.
    """
    s, a, d = query.shape

    def split(x: Tensor) -> Tensor:
        return x.view(s, x.shape[1], heads, d // heads).transpose(1, 2)  # (s, heads, ., d/heads)

    q, k, v = split(query), split(key), split(value)
    weights = (q @ k.transpose(2, 3) / math.sqrt(d // heads)).softmax(-1)
    return (weights @ v).transpose(1, 2).reshape(s, a, d)


def relation_scores(relations: Tensor, described: Tensor, kind: Relation) -> Tensor:
    """Return max(M_j), the pooled relation, (s, d); or (s, 1) where `kind` is "scalar".

    `relations` is (s, a, d); `described` (s, a) says which attributes a sticker has. One with
    none has the relation 1, which leaves its picture as it is.
    """
    there = described.bool()[:, :, None]
    highest = relations.masked_fill(~there, -torch.inf).amax(1)
    if kind == "scalar":
        highest = highest.amax(1, keepdim=True)
    return torch.where(there.any(1), highest, torch.ones_like(highest))


def relation_aware(score: Tensor, regions: Tensor) -> Tensor:
    """Return H^R of equation 12, (s, d): the relation times h^I, regions (s, r, d) averaged.

    The relation is the same for all regions, so the mean of the products is this product.
    """
    return score * regions.mean(1)


def retrieval_loss(
    scores: Tensor, gold: Tensor, negatives: Tensor, margin: float, positive: Positive
) -> Tensor:
    """Return L_ret of equation 14, the sum over conversations and their negative stickers.

    Each term is max(0, rho_neg - (1 - rho_pos) + margin). `scores` (n, s) are cosines, `gold` (n,)
    the places of the true stickers, `negatives` (n, s) which others count. rho_neg is a cosine.
    rho_pos is the cosine *distance* of the true sticker, so that 1 - rho_pos is its cosine and
    the term is the usual hinge; with "similarity" it is the cosine itself, as the paper says,
    and then minimising drives true stickers away.
    """
    true = scores.gather(1, gold[:, None])
    rho = 1 - true if positive == "distance" else true
    terms = (scores - (1 - rho) + margin).clamp(min=0)
    return terms.masked_fill(~negatives.bool(), 0).sum()


def intention_loss(logits: Tensor, gold: Tensor) -> Tensor:
    """Return L_int of equation 6, the sum of cross entropies of logits (n, tags), gold (n,)."""
    return functional.cross_entropy(logits, gold, reduction="sum")
