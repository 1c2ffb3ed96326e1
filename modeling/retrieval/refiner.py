"""The attribute refiner of DiaNA: learned queries that each draw one attribute out of many tokens.

K queries attend to the tokens of a dialogue, or of a picture, once; two transformer blocks with
normalisation in front then let them look at each other. What comes out, K vectors of length one,
is compared slot by slot.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

BLOCKS = 2
_START = 0.02  # deviation of the queries at the start, as transformers' embeddings have it


class Attend(nn.Module):
    """Multi-head attention, softmax(q k' / sqrt(d)) v, over what a mask lets be seen."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.value, self.out = nn.Linear(width, width), nn.Linear(width, width)

    def forward(
        self,
        asking: Tensor,
        asked: Tensor,
        mask: Tensor | None = None,
        row: Tensor | None = None,
    ) -> Tensor:
        """Return (items, n, width) of `asking` (items, n, width), `asked` (items, m, width).

        `mask` (items, m) is False where nothing is to be seen; a row of all False sees everything,
        which for padding alone is as good as nothing. With `row` (items,), `asked` is (rows, m,
        width) and an item looks at its row; one of `asking` (1, n, width) may stand for all items.
        """
        query, key, value = (
            self._split(self.query(asking)),
            self._split(self.key(asked)),
            self._split(self.value(asked)),
        )
        if row is not None:
            key, value = key[row], value[row]
        seen = None
        if mask is not None:
            seen = (mask.bool() | ~mask.bool().any(1, keepdim=True))[:, None, None, :]
        found = F.scaled_dot_product_attention(
            query.expand(len(key), -1, -1, -1), key, value, attn_mask=seen
        )
        joined: Tensor = self.out(found.transpose(1, 2).flatten(2))
        return joined

    def _split(self, states: Tensor) -> Tensor:
        items, count, width = states.shape
        return states.view(items, count, self.heads, width // self.heads).transpose(1, 2)


class Block(nn.Module):
    """x + attention(norm x), then x + network(norm x)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attend = Attend(width, heads)
        self.network = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, states: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return states (items, n, width), of which `mask` (items, n) marks those to be seen."""
        normed = self.first(states)
        states = states + self.attend(normed, normed, mask)
        result: Tensor = states + self.network(self.second(states))
        return result


class Refiner(nn.Module):
    """K attribute vectors (items, slots, width), each of length one, of tokens."""

    def __init__(self, slots: int, width: int, heads: int) -> None:
        super().__init__()
        self.attributes = nn.Parameter(torch.randn(slots, width) * _START)
        self.tokens, self.asking = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attend = Attend(width, heads)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(BLOCKS))
        self.last = nn.LayerNorm(width)

    def forward(
        self, tokens: Tensor, mask: Tensor | None = None, row: Tensor | None = None
    ) -> Tensor:
        """Refine `tokens` (items, n, width), of which `mask` (items, n) marks the real ones.

        With `row` (items,), `tokens` are (rows, n, width), read once for all items of a row.
        """
        asking = self.attributes[None]
        states = asking + self.attend(self.asking(asking), self.tokens(tokens), mask, row)
        for block in self.blocks:
            states = block(states)
        return F.normalize(self.last(states), dim=2)


def slot_scores(queries: Tensor, photos: Tensor) -> Tensor:
    """Return the mean over slots of the cosine slot by slot, (queries, photos).

    Both are (items, slots, width), of length one along the width.
    """
    return queries.flatten(1) @ photos.flatten(1).T / queries.shape[1]
