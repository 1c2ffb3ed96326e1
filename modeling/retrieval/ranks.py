"""Ranks of the right photos, by counting what scores at least as high: nothing is sorted by query.

Scores come in blocks of some queries by all photos and are forgotten at once, so memory grows with
the photos and never with the product. A photo that scores as high as a right one stands before it,
and so does one that scores lower by no more than rounding: equal photos at different places in a
matrix product may differ in the last bits. Photos without a picture come last, together.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

CELLS = 2**24  # scores held at once; 64 MB in single precision
ROWS = 512  # queries at once, whatever the number of photos: their representations are held too
NONE = -1  # fills the rows of `right` up
ROUNDING = 1e-6  # of the largest score of a query, at least of 1: sixteen steps of its floats
_LOOKED_AT = 256  # scores of a query, to see how large they are
_FEW = 16  # with more right photos a query, one sort of its row is cheaper

Scores = Callable[[slice], Tensor]
Ranks = NDArray[np.int64]


def ranks_of(
    scores: Scores,
    right: Tensor,
    n_photos: int,
    *,
    available: Tensor | None = None,
    cells: int = CELLS,
    rows: int = ROWS,
    rounding: float = ROUNDING,
) -> Ranks:
    """Return the rank, from 1, of each right photo of each query, ties against the model.

    `scores` gives a slice of the queries by all photos, larger being better, on any device. `right`
    holds photos, (queries,) or (queries, m), a row filled up with `NONE`; the result has its
    shape, a row in rising order, `NONE` where filled up. `available`, (photos,), says which photos
    have a picture. At most `cells` scores (those of one query at least)
    of at most `rows` queries are asked for at once.
    """
    table = right if right.ndim > 1 else right[:, None]
    found = np.full(tuple(table.shape), NONE, dtype=np.int64)
    step = max(min(cells // max(n_photos, 1), rows), 1)
    for start in range(0, len(table), step):
        part = slice(start, min(start + step, len(table)))
        found[part] = ranks_in_block(scores(part), table[part], available, rounding)
    return found.reshape(tuple(right.shape))


def ranks_in_block(
    block: Tensor, right: Tensor, available: Tensor | None = None, rounding: float = ROUNDING
) -> Ranks:
    """Rank photos, (queries, m), in a block of scores (queries, photos), as `ranks_of` does."""
    block, right = block.float(), right.to(block.device)
    some = block[:, :: max(block.shape[1] // _LOOKED_AT, 1)]  # enough to see how large scores are
    largest = some.abs().amax(1, keepdim=True).nan_to_num(0.0, posinf=0.0)
    blur = rounding * largest.clamp(min=1.0)  # unit vectors err by so much, however far apart
    if available is not None:
        block = block.masked_fill(~available.to(block.device), -torch.inf)
    there = right != NONE
    own = block.gather(1, right.clamp(min=0)).masked_fill(~there, -torch.inf)
    own, order = own.sort(dim=1, descending=True, stable=True)
    there = there.gather(1, order)
    bound = own - blur
    if right.shape[1] <= _FEW:
        at_least = torch.stack([_count(block, b[:, None]) for b in bound.unbind(1)], dim=1)
    else:
        below = torch.searchsorted(block.sort(dim=1).values, bound.contiguous())
        at_least = block.shape[1] - below
    # Other right photos do not stand in the way: they are taken out, and counted by their place.
    rising = own.flip(1)
    right_at_least = right.shape[1] - torch.searchsorted(rising, bound.contiguous())
    right_at_least = torch.minimum(right_at_least, there.sum(1, keepdim=True))
    place = torch.arange(1, right.shape[1] + 1, device=block.device)
    ranks = torch.where(there, at_least - right_at_least + place, torch.full_like(at_least, NONE))
    # NaN compares with nothing: a right photo without a score must not come first.
    lost = own.isnan() & there
    ranks = torch.where(lost, block.shape[1] - there.sum(1, keepdim=True) + place, ranks)
    found: Ranks = ranks.cpu().numpy()
    return found


def _count(block: Tensor, bound: Tensor) -> Tensor:
    """Count, by row, what is not below the bound."""
    if block.device.type != "cpu":
        return (block >= bound).sum(1)
    # numpy counts truths many times faster than torch sums them.
    return torch.from_numpy(np.count_nonzero(block.numpy() >= bound.numpy(), axis=1))


def best_photos(
    scores: Tensor, count: int, available: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return the scores and indices, (queries, count), of the best photos in (queries, photos).

    There are fewer of them where fewer are `available`.
    """
    if available is not None:
        scores = scores.masked_fill(~available.to(scores.device), -torch.inf)
        count = min(count, int(available.sum()))
    best = scores.topk(min(count, scores.shape[1]), dim=1)
    return best.values, best.indices
