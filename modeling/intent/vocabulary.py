"""The tokens that a layout needs of a tokenizer, found once."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from torch import nn

from modeling.intent.rows import Tokens, TokenTalk

SPEAKERS = ("A:", "B:")  # how a model without segment ids is told who speaks


class Marks(NamedTuple):
    """Token sequences to lay turns out with, and whether the model has segment ids."""

    start: Tokens  # [CLS]
    separator: Tokens  # [SEP]
    beginning: Tokens  # of a text for a decoder; empty where it has none
    line_end: Tokens
    prompt: Tokens  # T5's
    written_separator: Tokens
    end: Tokens  # of a text
    speakers: tuple[Tokens, Tokens]
    pad: int
    segments: bool

    def spoken(self, talk: TokenTalk) -> TokenTalk:
        """Return the talk with each turn's speaker in front of it."""
        turns = [
            np.concatenate([self.speakers[who], turn])
            for who, turn in zip(talk.speakers, talk.turns, strict=True)
        ]
        return talk._replace(turns=turns)


def marks_of(tokenizer: Any, *, segments: bool, prompt: str, written_separator: str) -> Marks:
    """Ask a Hugging Face tokenizer for the marks. What it does not have is empty."""

    def text(words: str) -> Tokens:
        return np.array(tokenizer(words, add_special_tokens=False)["input_ids"], np.int32)

    def special(*names: str) -> Tokens:
        found = [getattr(tokenizer, f"{name}_token_id", None) for name in names]
        return np.array([number for number in found if number is not None][:1], np.int32)

    line_end = text("\n")  # word-level and WordPiece vocabularies have no such token
    return Marks(
        start=special("cls", "bos"),
        separator=special("sep", "eos"),
        beginning=special("bos"),
        line_end=line_end if len(line_end) else special("eos", "sep"),
        prompt=text(prompt),
        written_separator=text(written_separator),
        end=special("eos", "sep"),
        speakers=(text(SPEAKERS[0]), text(SPEAKERS[1])),
        pad=next((int(n) for n in special("pad", "eos")), 0),
        segments=segments,
    )


def width_of(backbone: nn.Module) -> int:
    """Return the width of a model's states."""
    width: int = backbone.config.hidden_size  # type: ignore[union-attr,assignment]
    return width
