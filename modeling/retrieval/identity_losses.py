"""Losses of a batch in which several photos may be right for a query: those of one identity.

With scores s_ij, y_ij = 1 where query i and photo j are of one identity and q_ij = y_ij / sum_j
y_ij, both go from queries to photos and back:

    ITC  - sum_j q_ij log p_ij                     p_i = softmax_j(scale * s_ij)
    SDM  KL(p_i || q_i) = sum_j p_ij log(p_ij / (q_ij + epsilon))

SDM is that of IRRA (arXiv 2303.12501, equations 1 to 3); DiaNA takes both.
"""

from __future__ import annotations

import torch
from torch import Tensor

EPSILON = 1e-8  # as IRRA's code has it: it keeps log(q) finite where nothing is right


def same_identity(identities: Tensor) -> Tensor:
    """Return y (items, items): 1 where query i and photo j are of one identity, else 0."""
    return (identities[:, None] == identities[None, :]).float()


def itc(scores: Tensor, right: Tensor) -> Tensor:
    """Return the cross entropy, the mean of both ways. `scores` are scaled, `right` is y."""
    return (_cross_entropy(scores, right) + _cross_entropy(scores.T, right.T)) / 2


def sdm(scores: Tensor, right: Tensor) -> Tensor:
    """Return the divergence, the sum of both ways. `scores` are scaled, `right` is y."""
    return _divergence(scores, right) + _divergence(scores.T, right.T)


def _cross_entropy(scores: Tensor, right: Tensor) -> Tensor:
    return -(_shares(right) * scores.log_softmax(1)).sum(1).mean()


def _divergence(scores: Tensor, right: Tensor) -> Tensor:
    log_p = scores.log_softmax(1)
    return (log_p.exp() * (log_p - torch.log(_shares(right) + EPSILON))).sum(1).mean()


def _shares(right: Tensor) -> Tensor:
    return right / right.sum(1, keepdim=True)
