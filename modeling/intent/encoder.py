"""Section 6.1's BERT and ALBERT, and any encoder like them: [CLS] t_1 [SEP] ... t_j [SEP]."""

from __future__ import annotations

from torch import Tensor, nn

from modeling.intent.head import ShareHead
from modeling.intent.rows import Row, TokenTalk, prefix_row
from modeling.intent.vocabulary import Marks, width_of


def encoder_rows(talk: TokenTalk, marks: Marks, max_length: int) -> list[Row]:
    """Return one row a prefix. Segment ids are speakers; [SEP] belongs to the turn it ends.

    A model without segments gets the speaker as a word in front of each turn.
    """
    turns = talk if marks.segments else marks.spoken(talk)
    return [
        prefix_row(
            turns, last, max_length, head=marks.start, between=marks.separator, end=marks.separator
        )
        for last in range(len(talk.turns))
    ]


class PrefixEncoder(nn.Module):
    """An encoder whose first state ([CLS]) goes through the head."""

    def __init__(self, backbone: nn.Module, segments: bool) -> None:
        super().__init__()
        self.backbone = backbone
        self.segments = segments
        self.head = ShareHead(width_of(backbone))

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """Return log-probabilities (answers, 2)."""
        extra = {"token_type_ids": batch["segments"]} if self.segments else {}
        states = self.backbone(
            input_ids=batch["ids"], attention_mask=batch["mask"], **extra
        ).last_hidden_state
        log_probabilities: Tensor = self.head(states[batch["rows"], batch["reads"]])
        return log_probabilities
