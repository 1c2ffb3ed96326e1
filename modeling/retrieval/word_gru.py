"""Words read by a recurrent network from scratch, as VSE++ and SCAN do it.

Both embed words of their own vocabulary in 300 numbers and run one layer of GRU over them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

WORD_WIDTH = 300  # VSE++ (arXiv 1707.05612, section 4) and SCAN (arXiv 1803.08024, section 4.3)
_WORD_RANGE = 0.1


class WordGru(nn.Module):
    """States (texts, longest, width) of words; with `both_ways` the two directions' mean."""

    def __init__(
        self, vocabulary: int, width: int, *, word_width: int = WORD_WIDTH, both_ways: bool
    ) -> None:
        super().__init__()
        self.words = nn.Embedding(vocabulary, word_width)
        nn.init.uniform_(self.words.weight, -_WORD_RANGE, _WORD_RANGE)
        self.gru = nn.GRU(word_width, width, batch_first=True, bidirectional=both_ways)
        self.both_ways = both_ways

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Read `ids` (texts, longest), whose words `mask` marks; states of padding are zero.

        Padding stands on the right. A text without words has one state, of its first padding.
        """
        lengths = mask.sum(1).clamp(min=1).cpu()
        packed = pack_padded_sequence(
            self.words(ids), lengths, batch_first=True, enforce_sorted=False
        )
        states: Tensor
        states, _ = pad_packed_sequence(
            self.gru(packed)[0], batch_first=True, total_length=ids.shape[1]
        )
        if self.both_ways:
            forth, back = states.chunk(2, dim=2)
            states = (forth + back) / 2
        return states


def last_states(states: Tensor, mask: Tensor) -> Tensor:
    """Return the state (texts, width) of each text's last word."""
    last = mask.sum(1).clamp(min=1) - 1
    return states[torch.arange(len(states), device=states.device), last]
