"""Talks as tokens for networks that read from left to right: prefixes of a talk are prefixes here.

Each turn is cut into tokens by itself and nothing is put after the last one, so one pass over a
talk goes through every state in which the network would end on a shorter talk.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from modeling.retrieval.examples import Query
from modeling.retrieval.matcher import Batch
from modeling.retrieval.rounds import prefixes
from modeling.retrieval.settings import RetrievalSettings
from modeling.retrieval.texts import said
from modeling.training.batches import padded
from photochat.dialogue import Utterance

Tokens = NDArray[np.int32]


class TurnTokens(NamedTuple):
    """How talks are laid out: a mark in front, then the newest `max_length` tokens but one.

    `between` goes in front of every turn, as a line's end does in a text of lines.
    """

    tokenizer: Any
    settings: RetrievalSettings
    between: tuple[int, ...] = ()

    def batch(self, queries: Sequence[Query]) -> Batch:
        """Return "ids" and "mask" (queries, longest)."""
        settings = self.settings
        talks = [said(query, settings.speakers, settings.last_turns) for query in queries]
        return self._stacked([self._laid_out(turns) for turns in self._tokens(talks)])

    def rounds(self, queries: Sequence[Query]) -> Batch:
        """Return what one pass needs to answer after every turn of every talk.

        "ids" and "mask" are (rows, longest); item by item, talk after talk and turn after turn,
        "row" says in which row a prefix stands and "length" how many of its tokens are read,
        (items,). A prefix that is longer than the limit, or of the last turns alone, has a row of
        its own.
        """
        settings = self.settings
        nested = settings.last_turns is None
        rows: list[Tokens] = []
        row, length = [], []
        asked = [
            query if nested else shorter
            for query in queries
            for shorter in ((query,) if nested else prefixes(query))
        ]
        talks = [said(query, settings.speakers, settings.last_turns) for query in asked]
        for query, turns in zip(asked, self._tokens(talks), strict=True):
            if not nested:
                row.append(len(rows))
                rows.append(self._laid_out(turns))
                length.append(len(rows[-1]))
                continue
            together, ends = len(rows), []
            for end in _heard(query, settings):
                size = 1 + sum(len(turn) for turn in turns[:end])
                if size <= settings.max_length:
                    ends.append(end)
                    row.append(together)
                    length.append(size)
            rows.append(self._laid_out(turns[: ends[-1]] if ends else []))
            for end in _heard(query, settings)[len(ends) :]:
                row.append(len(rows))
                rows.append(self._laid_out(turns[:end]))
                length.append(len(rows[-1]))
        batch = self._stacked(rows)
        return {**batch, "row": torch.tensor(row), "length": torch.tensor(length)}

    def _tokens(self, talks: Sequence[Sequence[Utterance]]) -> list[list[Tokens]]:
        texts = [f" {turn.text}" for talk in talks for turn in talk]
        ids = iter(
            self.tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]
            if texts
            else []
        )
        return [[np.array([*self.between, *next(ids)], np.int32) for _ in talk] for talk in talks]

    def _laid_out(self, turns: Sequence[Tokens]) -> Tokens:
        words = np.concatenate([np.zeros(0, np.int32), *turns])
        room = self.settings.max_length - 1
        return np.concatenate([[self._start], words[-room:] if room else words[:0]]).astype(
            np.int32
        )

    @property
    def _start(self) -> int:
        names = ("cls_token_id", "bos_token_id", "eos_token_id", "pad_token_id")
        found = [getattr(self.tokenizer, name, None) for name in names]
        return int(next(number for number in (*found, 0) if number is not None))

    def _stacked(self, rows: Sequence[Tokens]) -> Batch:
        ids = padded(rows, int(getattr(self.tokenizer, "pad_token_id", None) or 0))
        lengths = np.array([len(row) for row in rows])
        mask = np.arange(ids.shape[1]) < lengths[:, None]
        return {"ids": torch.from_numpy(ids), "mask": torch.from_numpy(mask)}


def _heard(query: Query, settings: RetrievalSettings) -> list[int]:
    """Return, after each turn of a talk, how many turns the model was given."""
    return [len(said(shorter, settings.speakers)) for shorter in prefixes(query)]
