"""Section 6.1's T5: "predict share intent: t_1 [SEP] ... t_j" in, a word out.

The paper does not say which words; here "yes" and "no", one token each. The loss is the cross
entropy of that token over the whole vocabulary, as in any text-to-text training (the end-of-text
token after it is the same for both and is left out). The probability of a share compares the two.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from modeling.intent.rows import Row, TokenTalk, prefix_row
from modeling.intent.vocabulary import Marks

PROMPT = "predict share intent:"  # section 6.1
SEPARATOR = "[SEP]"  # as text: T5's vocabulary has no such token
ANSWERS = ("no", "yes")


def t5_rows(talk: TokenTalk, marks: Marks, max_length: int) -> list[Row]:
    """Return one row a prefix. As in the paper, T5 is not told who speaks."""
    return [
        prefix_row(
            talk,
            last,
            max_length,
            head=marks.prompt,
            between=marks.written_separator,
            end=marks.end,
        )
        for last in range(len(talk.turns))
    ]


class TextToText(nn.Module):
    """An encoder-decoder asked for the first word of its answer."""

    backbone: Any
    answers: Tensor

    def __init__(self, backbone: nn.Module, answers: tuple[int, int]) -> None:
        super().__init__()
        self.backbone = backbone
        self.register_buffer("answers", torch.tensor(answers), persistent=False)

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """Return the log-probabilities of "no" and "yes" among all words, (answers, 2)."""
        start = self.backbone.config.decoder_start_token_id
        asked = torch.full_like(batch["ids"][:, :1], start)
        words = self.backbone(
            input_ids=batch["ids"],
            attention_mask=batch["mask"],
            decoder_input_ids=asked,
            use_cache=False,
        ).logits[:, 0]
        return torch.log_softmax(words.float(), dim=-1)[:, self.answers]
