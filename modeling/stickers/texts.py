"""Conversations, knowledge, labels and descriptions as the tokens that the text encoder reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from modeling.training.batches import padded
from photochat.errors import DataError
from photochat.stickers import StickerConversation

Tokens = NDArray[np.int32]


class Tokenized(NamedTuple):
    """One text in tokens, and the segment of each: 0 the conversation, 1 what is known of it."""

    ids: Tokens
    segments: Tokens


class TextFeed(NamedTuple):
    """A tokenizer of an encoder with the tokens that open, part and fill its texts."""

    tokenizer: Any
    start: Tokens
    separator: Tokens
    pad: int

    def cut(self, texts: Sequence[str]) -> list[Tokens]:
        """Return the tokens of texts, without the special ones."""
        if not texts:
            return []
        found = self.tokenizer(list(texts), add_special_tokens=False, verbose=False)["input_ids"]
        return [np.array(ids, np.int32) for ids in found]

    def short(self, text: str, max_length: int) -> Tokenized:
        """Lay out a label or a description: [CLS] text [SEP], the end cut off."""
        room = max_length - len(self.start) - len(self.separator)
        ids = np.concatenate([self.start, self.cut([text])[0][:room], self.separator])
        return Tokenized(ids, np.zeros(len(ids), np.int32))

    def conversation(
        self, one: StickerConversation, knowledge: Sequence[str], max_length: int
    ) -> Tokenized:
        """Lay out T + C_know (equation 3)."""
        return joined(
            self.cut(spoken(one)), self.cut(knowledge), self.start, self.separator, max_length
        )


def text_feed(tokenizer: Any) -> TextFeed:
    """Ask a tokenizer for its special tokens.

    Raises:
        DataError: it has none that opens a text, or none that ends one: no encoder's.
    """

    def special(name: str) -> Tokens:
        number = getattr(tokenizer, f"{name}_token_id", None)
        if number is None:
            raise DataError(f"the text model's tokenizer has no {name} token: take an encoder")
        return np.array([number], np.int32)

    return TextFeed(tokenizer, special("cls"), special("sep"), int(special("pad")[0]))


def spoken(one: StickerConversation) -> list[str]:
    """Return the utterances, each with who speaks: A is who sends the sticker, then B, C, ..."""
    names: dict[int | str, int] = {one.user_id: 0}
    return [
        f"{_letter(names.setdefault(turn.user_id, len(names)))}: {turn.text}" for turn in one.turns
    ]


def _letter(number: int) -> str:
    return chr(ord("A") + number) if number < 26 else f"A{number}"


def joined(
    turns: Sequence[Tokens],
    knowledge: Sequence[Tokens],
    start: Tokens,
    separator: Tokens,
    max_length: int,
) -> Tokenized:
    """Return [CLS] turns [SEP] and, where something is known, knowledge [SEP].

    Knowledge takes at most half of `max_length`, its end cut off; the conversation takes what is
    left and keeps its newest tokens.
    """
    known = np.concatenate([*knowledge, start[:0]]).astype(np.int32)
    known = known[: max_length // 2 - len(separator)]
    known = np.concatenate([known, separator]) if len(known) else known
    said = np.concatenate([*turns, start[:0]]).astype(np.int32)
    room = max_length - len(start) - len(separator) - len(known)
    said = np.concatenate([start, said[-room:], separator])
    segments = np.repeat(np.array([0, 1], np.int32), [len(said), len(known)])
    return Tokenized(np.concatenate([said, known]), segments)


def stacked(texts: Sequence[Tokenized], pad: int, prefix: str = "") -> dict[str, Tensor]:
    """Stack texts into ids, mask and segments (texts, longest), each name after `prefix`."""
    ids = padded([text.ids for text in texts], pad)
    lengths = np.array([len(text.ids) for text in texts])
    arrays = {
        "ids": ids,
        "mask": (np.arange(ids.shape[1]) < lengths[:, None]).astype(np.int64),
        "segments": padded([text.segments for text in texts], 0),
    }
    return {prefix + name: torch.from_numpy(array) for name, array in arrays.items()}
