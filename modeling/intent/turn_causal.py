"""Our variant of the encoder: each turn sees itself whole and every earlier turn, never a later.

So one pass over a dialogue answers after every turn. Each turn is laid out [CLS] t_j [SEP], as the
encoder was pretrained to read a text, and its [CLS] is read out. The rule is in the attention mask,
which makes it another model than the paper's BERT, to be trained as such.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from modeling.intent.head import ShareHead
from modeling.intent.rows import Row, TokenTalk, once_rows
from modeling.intent.vocabulary import Marks, width_of


def turn_causal_rows(talk: TokenTalk, marks: Marks, max_length: int) -> list[Row]:
    """Return the talk as one row, or as few as the length limit allows."""
    turns = talk if marks.segments else marks.spoken(talk)
    blocks = [np.concatenate([marks.start, turn, marks.separator]) for turn in turns.turns]
    nothing = np.zeros(0, np.int32)
    return once_rows(talk, max_length, start=nothing, blocks=blocks, read_at=0)


def turn_mask(blocks: Tensor, mask: Tensor, dtype: torch.dtype) -> Tensor:
    """Return what to add to attention scores, (rows, 1, tokens, tokens): 0 where seen.

    A token sees those of its own turn and of earlier ones. `blocks` and `mask` are (rows, tokens).
    """
    seen = (blocks[:, None, :] <= blocks[:, :, None]) & mask[:, None, :].bool()
    hidden = torch.zeros(seen.shape, dtype=dtype, device=seen.device)
    return hidden.masked_fill(~seen, torch.finfo(dtype).min)[:, None]


class TurnCausalEncoder(nn.Module):
    """An encoder under the turn mask; the first state of each turn goes through the head."""

    def __init__(self, backbone: nn.Module, segments: bool) -> None:
        super().__init__()
        self.backbone = backbone
        self.segments = segments
        self.head = ShareHead(width_of(backbone))

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """Return log-probabilities (answers, 2)."""
        extra = {"token_type_ids": batch["segments"]} if self.segments else {}
        dtype = next(self.backbone.parameters()).dtype
        states = self.backbone(
            input_ids=batch["ids"],
            attention_mask=turn_mask(batch["blocks"], batch["mask"], dtype),
            **extra,
        ).last_hidden_state
        log_probabilities: Tensor = self.head(states[batch["rows"], batch["reads"]])
        return log_probabilities
