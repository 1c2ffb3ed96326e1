"""Broken English and word salad without a language model: pairs of words that do not go together.

A table of how often one word (or class of words) follows another in real chats, learned on the dev
split, tells shuffled or broken sentences from sound ones: mean log of how much more often a word
follows the one before it than it stands anywhere. Harper, a grammar checker, is asked only where
the pairs are odd already: it is right more often there, and too slow to read every message.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from verification.association.kinds import LEARNED
from verification.finding import Finding
from verification.talk import Talk
from verification.thresholds import (
    GRAMMAR_FAULTS,
    MIN_PAIRS,
    ODD_PAIRS,
    ODD_PAIRS_WITH_FAULTS,
)

SHOWN = 3  # messages marked
EDGE = "<edge>"  # before the first and after the last word of a message
_ENDINGS = ("ing", "ed", "ly", "tion", "er", "est", "ies", "es", "s", "y")
# What Harper calls style, capitals and spelling is no broken English in a chat.
_FAULTS = frozenset({"Agreement", "Grammar", "Repetition", "Usage", "Miscellaneous", "Eggcorn",
                     "Malapropism", "Nonstandard", "WordOrder"})  # fmt: skip


class Pairs(NamedTuple):
    """Word -> number, and the log ratio of each pair (words, words)."""

    number: dict[str, int]
    ratio: npt.NDArray[np.float32]


def classes(words: Sequence[str], number: dict[str, int]) -> list[int]:
    """Return the words' numbers, those outside the table by their ending, between two edges."""
    found = [number[EDGE]]
    for word in words:
        known = number.get(word)
        if known is None:
            known = number[f"<{next((end for end in _ENDINGS if word.endswith(end)), '')}>"]
        found.append(known)
    found.append(number[EDGE])
    return found


def class_names() -> list[str]:
    """Return the names of the classes that words outside the table fall into."""
    return [EDGE, "<>", *(f"<{end}>" for end in _ENDINGS)]


@lru_cache(maxsize=1)
def pairs() -> Pairs:
    """Read the table."""
    with np.load(str(LEARNED / "word_order.npz")) as packed:
        words = packed["words"].tobytes().decode().split("\n")
        ratio = np.broadcast_to(packed["never"].astype(np.float32)[:, None], (len(words),) * 2)
        ratio = ratio.copy()
        cells = np.cumsum(packed["steps"].astype(np.int64))
        ratio.flat[cells] = packed["values"].astype(np.float32) / float(packed["unit"])
    return Pairs({word: place for place, word in enumerate(words)}, ratio)


def oddness(messages: Sequence[Sequence[str]]) -> tuple[float, int]:
    """Return how little the words of messages go together, and over how many pairs.

    Positive means: less than words drawn at random would.
    """
    table = pairs()
    total, count = 0.0, 0
    for words in messages:
        if len(words) < 3:
            continue
        numbers = classes(words, table.number)
        total += float(table.ratio[numbers[:-1], numbers[1:]].sum())
        count += len(numbers) - 1
    return (-total / count if count else 0.0), count


def broken_english(talk: Talk) -> list[Finding]:
    """Sentences whose words do not go together."""
    score, count = oddness(talk.lower)
    if count < MIN_PAIRS or score < ODD_PAIRS_WITH_FAULTS:
        return []
    worst = sorted(
        (index for index, words in enumerate(talk.lower) if len(words) >= 4),
        key=lambda index: -oddness([talk.lower[index]])[0],
    )[:SHOWN]
    # Harper reads the oddest messages alone: a whole dialogue takes it 50 ms and more.
    faults = list(_faults(talk, worst))
    total = sum(len(talk.words[index]) for index in worst)
    if score < ODD_PAIRS and len(faults) < GRAMMAR_FAULTS * max(total, 1):
        return []
    text = "The words do not make sentences here: broken English, or words in a muddle?"
    found = [
        Finding("broken-english", "review", text, index, 0, len(talk.messages[index]),
                round(score, 3))
        for index in sorted(worst)
    ] or [Finding("broken-english", "review", text, score=round(score, 3))]  # fmt: skip
    return found + [
        Finding("broken-english", "note", message, index, start, end)
        for index, start, end, message in faults
    ]


@lru_cache(maxsize=1)
def _linter() -> Any:
    from harper import Linter

    linter = Linter()
    linter.set_lint_config({**linter.get_lint_config(), "SpellCheck": False})
    return linter


def _faults(talk: Talk, turns: Sequence[int]) -> Iterator[tuple[int, int, int, str]]:
    for index in sorted(turns):
        message = talk.messages[index]
        for lint in _linter().lint(message, language="plaintext"):
            kind = lint.lint_kind() if callable(lint.lint_kind) else lint.lint_kind
            if kind in _FAULTS:
                yield index, lint.span.start, lint.span.end, lint.message
