"""Words hidden from a text and told again with the help of a picture, IRRA's second task.

arXiv 2303.12501, section 3.3: of 15% of the words 80% become the mask, 10% another word, 10% stay.
Each text hides one at least. The hidden words ask the picture once; blocks of a transformer follow.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from modeling.retrieval.refiner import Attend, Block

SHARE, TO_MASK, TO_OTHER = 0.15, 0.8, 0.1
KEPT = -1  # where nothing is to be told


def hidden(ids: Tensor, words: Tensor, mask_id: int, others: Tensor) -> tuple[Tensor, Tensor]:
    """Return ids with some words hidden, and what is to be told, `KEPT` elsewhere.

    `words` (texts, longest) is True where a word stands, `others` are ids to put in place of one.
    Drawn by torch's generator.
    """
    draw, way = (torch.rand(ids.shape, device=ids.device) for _ in range(2))
    chosen = words & (draw < SHARE)
    lowest = draw.masked_fill(~words, 2.0).argmin(1)
    bare = words.any(1) & ~chosen.any(1)
    chosen[bare, lowest[bare]] = True
    other = others[torch.randint(len(others), ids.shape, device=ids.device)].to(ids.dtype)
    shown = torch.where(chosen & (way < TO_MASK), torch.full_like(ids, mask_id), ids)
    shown = torch.where(chosen & (way >= TO_MASK) & (way < TO_MASK + TO_OTHER), other, shown)
    return shown, torch.where(chosen, ids, torch.full_like(ids, KEPT))


def told(states: Tensor, wanted: Tensor, head: nn.Module) -> tuple[Tensor, Tensor]:
    """Return the cross entropies of hidden words added up, and how many there are, (texts,) each.

    `states` (texts, longest, width) go through `head` where `wanted` is not `KEPT`.
    """
    text, place = (wanted != KEPT).nonzero(as_tuple=True)
    losses = F.cross_entropy(
        head(states[text, place]).float(), wanted[text, place].long(), reduction="none"
    )
    total = losses.new_zeros(len(wanted)).index_add(0, text, losses)
    return total, (wanted != KEPT).sum(1).to(total.dtype)


class CrossEncoder(nn.Module):
    """Words of a text attend to a picture, then to each other in `blocks` transformer blocks."""

    def __init__(self, width: int, heads: int, blocks: int) -> None:
        super().__init__()
        self.words, self.picture = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attend = Attend(width, heads)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(blocks))
        self.last = nn.LayerNorm(width)

    def forward(self, words: Tensor, mask: Tensor, picture: Tensor) -> Tensor:
        """Return states (texts, n, width) of `words`, which `mask` marks, and `picture` cells."""
        states = self.attend(self.words(words), self.picture(picture))
        for block in self.blocks:
            states = block(states, mask)
        found: Tensor = self.last(states)
        return found


def words_head(width: int, vocabulary: int) -> nn.Sequential:
    """Return what makes scores of all words, (..., vocabulary), of states (..., width)."""
    return nn.Sequential(
        nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width), nn.Linear(width, vocabulary)
    )
