"""What a model reads in one piece: tokens of some turns, and where after them it answers.

A model that reads prefixes has one answer a row; one that reads a dialogue once has one after every
turn. Both keep the newest turns within the length limit, and exactly the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from modeling.examples import Talk
from modeling.training.batches import padded

Tokens = NDArray[np.int32]
PADDING_BLOCK = 2**15 - 1  # the turn that padding belongs to: later than any


class Row(NamedTuple):
    """One piece. `blocks` numbers the turn that each token belongs to; answers stand at `reads`."""

    ids: Tokens  # (tokens,)
    segments: Tokens  # (tokens,), the speaker
    blocks: Tokens  # (tokens,)
    reads: Tokens  # (answers,), positions
    labels: Tokens  # (answers,)
    examples: Tokens  # (answers,), indices of the examples in their split


class TokenTalk(NamedTuple):
    """A talk in tokens: one array a turn, its speaker, and its first example's index."""

    turns: list[Tokens]
    speakers: list[int]
    labels: list[int]
    first_example: int


# Tokenizer: texts in, lists of token ids out, without special tokens.
Tokenize = Callable[[list[str]], list[list[int]]]


def tokenized(talks: Sequence[Talk], tokenize: Tokenize) -> list[TokenTalk]:
    """Cut every turn into tokens, once. Any user but 0 counts as speaker 1."""
    texts = [turn.text for talk in talks for turn in talk.turns]
    ids = iter(tokenize(texts) if texts else [])
    result, first = [], 0
    for talk in talks:
        turns = [np.array(next(ids), dtype=np.int32) for _ in talk.turns]
        speakers = [int(turn.user_id != 0) for turn in talk.turns]
        result.append(TokenTalk(turns, speakers, talk.labels, first))
        first += len(turns)
    return result


def first_kept(sizes: Sequence[int], last: int, room: int) -> int:
    """Return the oldest turn to keep so that turns up to `last` take at most `room` tokens.

    The newest turn is kept even when it alone takes more: then `last` is returned.
    """
    first, used = last, sizes[last]
    while first > 0 and used + sizes[first - 1] <= room:
        first -= 1
        used += sizes[first]
    return first


def windows(sizes: Sequence[int], room: int) -> list[tuple[int, list[int]]]:
    """Group the prefixes of a talk by the oldest turn that each keeps: (first, [last, ...]).

    Prefixes of one group nest, so one causal pass over the longest serves all. Short dialogues are
    one group; each prefix has just the turns that it would have alone.
    """
    starts = [(first_kept(sizes, last, room), last) for last in range(len(sizes))]
    return [
        (first, [last for _, last in group])
        for first, group in groupby(starts, key=lambda pair: pair[0])
    ]


def prefix_row(
    talk: TokenTalk, last: int, max_length: int, *, head: Tokens, between: Tokens, end: Tokens
) -> Row:
    """Lay out the prefix that ends with turn `last`: head, turns joined by `between`, end.

    Turns that do not fit are left out, oldest first; a newest turn that does not fit alone keeps
    its tail. The answer stands at position 0.
    """
    room = max_length - len(head) - len(end)
    sizes = [len(turn) + len(between) for turn in talk.turns]
    first = first_kept(sizes, last, room + len(between))
    ids, segments, blocks = [head], [np.zeros(len(head), np.int32)], [np.zeros(len(head), np.int32)]
    for j in range(first, last + 1):
        turn = talk.turns[j] if len(talk.turns[j]) <= room else talk.turns[j][-room:]
        turn = np.concatenate([turn, between if j < last else end])
        ids.append(turn)
        segments.append(np.full(len(turn), talk.speakers[j], np.int32))
        blocks.append(np.full(len(turn), j - first, np.int32))
    return Row(
        np.concatenate(ids),
        np.concatenate(segments),
        np.concatenate(blocks),
        np.zeros(1, np.int32),
        np.array([talk.labels[last]], np.int32),
        np.array([talk.first_example + last], np.int32),
    )


def once_rows(
    talk: TokenTalk, max_length: int, *, start: Tokens, blocks: Sequence[Tokens], read_at: int
) -> list[Row]:
    """Lay out a talk to be read once: `start`, then its turns as `blocks`, ready with their marks.

    Each block's answer stands at its index `read_at` (0: its first token, -1: its last). A block
    that does not fit alone keeps `read_at` and its tail.
    """
    room = max_length - len(start)
    kept = [
        block if len(block) <= room else np.concatenate([block[:1], block[-(room - 1) :]])
        for block in blocks
    ]
    rows = []
    for first, lasts in windows([len(block) for block in kept], room):
        used = kept[first : lasts[-1] + 1]
        sizes = np.array([len(block) for block in used])
        starts = len(start) + np.concatenate([[0], np.cumsum(sizes)[:-1]])
        answers = starts if read_at == 0 else starts + sizes - 1
        asked = np.array(lasts) - first
        speakers = talk.speakers[first : lasts[-1] + 1]
        rows.append(
            Row(
                np.concatenate([start, *used]).astype(np.int32),
                _spread(speakers, sizes, len(start)),
                _spread(range(len(used)), sizes, len(start)),
                answers[asked].astype(np.int32),
                np.array([talk.labels[last] for last in lasts], np.int32),
                np.array([talk.first_example + last for last in lasts], np.int32),
            )
        )
    return rows


def _spread(values: Sequence[int], sizes: NDArray[np.int64], lead: int) -> Tokens:
    return np.concatenate([np.zeros(lead), np.repeat(values, sizes)]).astype(np.int32)


def collate(rows: Sequence[Row], pad: int) -> dict[str, Tensor]:
    """Stack rows into tensors: ids, mask, segments, blocks (rows, tokens); the rest (answers,)."""
    lengths = np.array([len(row.ids) for row in rows])
    ids = padded([row.ids for row in rows], pad)
    counts = [len(row.reads) for row in rows]
    arrays = {
        "ids": ids,
        "mask": (np.arange(ids.shape[1]) < lengths[:, None]).astype(np.int64),
        "segments": padded([row.segments for row in rows], 0),
        "blocks": padded([row.blocks for row in rows], PADDING_BLOCK),
        "rows": np.repeat(np.arange(len(rows)), counts),
        "reads": np.concatenate([row.reads for row in rows]).astype(np.int64),
        "labels": np.concatenate([row.labels for row in rows]).astype(np.int64),
        "examples": np.concatenate([row.examples for row in rows]).astype(np.int64),
    }
    return {name: torch.from_numpy(array) for name, array in arrays.items()}
