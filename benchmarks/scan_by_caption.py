"""SCAN's scores (text to image, mean over words) caption by caption, as its scorer is usually
written: each caption is repeated for every picture, and the attended vectors are made.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def scores_by_caption(words: Tensor, mask: Tensor, regions: Tensor, temperature: float) -> Tensor:
    """Return what `modeling.retrieval.scan_scores.scan_scores` does, (captions, pictures).

    `words` (captions, longest, width), `mask` (captions, longest), `regions` (pictures, regions,
    width).
    """
    rows = []
    for caption, length in zip(words, mask.sum(1).tolist(), strict=True):
        query = caption[:length].repeat(len(regions), 1, 1)  # (pictures, words, width)
        seen = F.leaky_relu(torch.bmm(regions, query.mT), 0.1)  # (pictures, regions, words)
        seen = seen / (seen.square().sum(2, keepdim=True).sqrt() + 1e-8)
        weights = (temperature * seen).mT.softmax(2)
        attended = torch.bmm(weights, regions)
        cosine = (query * attended).sum(2) / (query.norm(dim=2) * attended.norm(dim=2))
        rows.append(cosine.mean(1))
    return torch.stack(rows)
