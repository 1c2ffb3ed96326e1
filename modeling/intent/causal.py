"""A decoder language model that reads a dialogue once and answers at the end of every turn.

Attention is causal, so the state at the end of turn j knows t_1..t_j alone: one pass gives exactly
what a pass over each prefix would give.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch.nn.functional as F
from torch import Tensor, nn

from modeling.intent.head import ShareHead
from modeling.intent.rows import Row, TokenTalk, once_rows
from modeling.intent.vocabulary import Marks, width_of


def causal_rows(talk: TokenTalk, marks: Marks, max_length: int) -> list[Row]:
    """Return the talk as one row, or as few as the limit allows: "A: t_1 \\n B: t_2 \\n ..."."""
    blocks = [np.concatenate([turn, marks.line_end]) for turn in marks.spoken(talk).turns]
    return once_rows(talk, max_length, start=marks.beginning, blocks=blocks, read_at=-1)


class CausalReader(nn.Module):
    """A decoder without its word layer; the last state of each turn goes through the head.

    With a `language` weight it also learns the next token, by the word layer that its words share.
    """

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone: Any = backbone
        self.head = ShareHead(width_of(backbone))
        self.language = 0.0

    def forward(self, batch: dict[str, Tensor]) -> Tensor | tuple[Tensor, Tensor]:
        """Return log-probabilities (answers, 2); in training the loss of tokens too, if weighed.

        That loss is `language` times the mean over the batch's tokens, times the answers, since
        losses are summed over them. Padding stands right, where nothing sees it.
        """
        states = self.backbone(
            input_ids=batch["ids"], attention_mask=batch["mask"], use_cache=False
        ).last_hidden_state
        answers: Tensor = self.head(states[batch["rows"], batch["reads"]])
        if not self.language or not self.training:
            return answers
        known = batch["mask"][:, 1:].bool()
        words = self.backbone.get_input_embeddings().weight
        logits = (states[:, :-1][known] @ words.t()).float()
        mean = F.cross_entropy(logits, batch["ids"][:, 1:][known])
        return answers, self.language * mean * len(answers)
