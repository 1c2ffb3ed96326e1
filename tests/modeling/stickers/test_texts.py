"""Conversations, knowledge and labels as tokens: who speaks, what is cut off, what is padding."""

import numpy as np
import pytest
import torch

from modeling.stickers.texts import Tokenized, joined, spoken, stacked, text_feed
from photochat.errors import DataError
from photochat.stickers import StickerConversation, StickerTurn

CLS, SEP = np.array([1], np.int32), np.array([2], np.int32)


def tokens(*numbers):
    return np.array(numbers, np.int32)


def test_the_sender_is_a_and_others_follow_as_they_speak():
    turns = tuple(StickerTurn(user, "hi") for user in ("x", "y", "me", "y", "z"))
    one = StickerConversation(1, turns, "me", "s", "joy")
    assert [line[:2] for line in spoken(one)] == ["B:", "C:", "A:", "C:", "D:"]


def test_knowledge_follows_the_conversation_in_a_segment_of_its_own():
    found = joined([tokens(10, 11), tokens(12)], [tokens(20), tokens(21, 22)], CLS, SEP, 64)
    assert found.ids.tolist() == [1, 10, 11, 12, 2, 20, 21, 22, 2]
    assert found.segments.tolist() == [0, 0, 0, 0, 0, 1, 1, 1, 1]
    assert joined([tokens(10)], [], CLS, SEP, 64).ids.tolist() == [1, 10, 2]


def test_the_newest_words_are_kept_and_knowledge_takes_half_at_most():
    said, known = [tokens(*range(100, 130))], [tokens(*range(200, 230))]
    found = joined(said, known, CLS, SEP, 16)
    assert len(found.ids) == 16
    assert found.ids.tolist() == [1, *range(124, 130), 2, *range(200, 207), 2]
    alone = joined(said, [tokens(200)], CLS, SEP, 16)
    assert alone.ids.tolist() == [1, *range(118, 130), 2, 200, 2]


def test_padding_is_masked():
    batch = stacked(
        [Tokenized(tokens(1, 5, 2), tokens(0, 0, 0)), Tokenized(tokens(1, 2), tokens(0, 1))],
        9,
        "x_",
    )
    assert batch["x_ids"].tolist() == [[1, 5, 2], [1, 2, 9]]
    assert batch["x_mask"].tolist() == [[1, 1, 1], [1, 1, 0]]
    assert batch["x_segments"].tolist() == [[0, 0, 0], [0, 1, 0]]
    assert batch["x_ids"].dtype == torch.int64


def test_a_tokenizer_without_an_encoders_tokens_is_refused():
    class Bare:
        cls_token_id, sep_token_id, pad_token_id = None, 1, 0

    with pytest.raises(DataError, match="has no cls token: take an encoder"):
        text_feed(Bare())
