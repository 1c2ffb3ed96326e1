"""A decoder language model that reads a dialogue once and answers at the end of every turn.

Attention is causal, so the state at the end of turn j knows t_1..t_j alone: one pass gives exactly
what a pass over each prefix would give.
"""

from __future__ import annotations

import numpy as np
from torch import Tensor, nn

from modeling.intent.head import ShareHead
from modeling.intent.rows import Row, TokenTalk, once_rows
from modeling.intent.vocabulary import Marks, width_of


def causal_rows(talk: TokenTalk, marks: Marks, max_length: int) -> list[Row]:
    """Return the talk as one row, or as few as the limit allows: "A: t_1 \\n B: t_2 \\n ..."."""
    blocks = [np.concatenate([turn, marks.line_end]) for turn in marks.spoken(talk).turns]
    return once_rows(talk, max_length, start=marks.beginning, blocks=blocks, read_at=-1)


class CausalReader(nn.Module):
    """A decoder without its word layer; the last state of each turn goes through the head."""

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = ShareHead(width_of(backbone))

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """Return log-probabilities (answers, 2). Padding stands right, where nothing sees it."""
        states = self.backbone(
            input_ids=batch["ids"], attention_mask=batch["mask"], use_cache=False
        ).last_hidden_state
        log_probabilities: Tensor = self.head(states[batch["rows"], batch["reads"]])
        return log_probabilities
