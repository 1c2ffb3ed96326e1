"""A dialogue cut into words once, for all checks that look at words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from typing import NamedTuple

from photochat.dialogue import Dialogue

# Letters with inner apostrophes and hyphens; digits only inside a word ("mp3").
_WORD = re.compile(r"[^\W\d_](?:[\w]|['’-](?=\w))*")
_APOSTROPHE = str.maketrans("’‘", "''")
MAX_TURNS = 2_000  # no talk of people is longer; what lies beyond is said, and not read


class Word(NamedTuple):
    """A word as written, and the characters of the message that it takes."""

    text: str
    start: int
    end: int

    @property
    def lower(self) -> str:
        """The word in lower case with a plain apostrophe."""
        return self.text.lower().translate(_APOSTROPHE)


class Talk:
    """A dialogue with its words turn by turn; photo turns have none."""

    def __init__(self, dialogue: Dialogue) -> None:
        self.dialogue = dialogue
        self.share = dialogue.share_index
        self.messages = [turn.message for turn in dialogue.turns[:MAX_TURNS]]

    @cached_property
    def words(self) -> list[list[Word]]:
        """The words of each turn."""
        return [words_of(message) for message in self.messages]

    @cached_property
    def lower(self) -> list[list[str]]:
        """The words of each turn in lower case."""
        return [
            _lower(message, words) for message, words in zip(self.messages, self.words, strict=True)
        ]

    @property
    def before(self) -> range:
        """The turns before the photo; all of them when no photo is shared."""
        return range(len(self.messages) if self.share is None else min(self.share, MAX_TURNS))

    @property
    def after(self) -> range:
        """The turns after the first photo turn."""
        total = len(self.messages)
        return range(total if self.share is None else min(self.share + 1, total), total)


def words_of(message: str) -> list[Word]:
    """Cut a message into words, with their places."""
    return [Word(match[0], match.start(), match.end()) for match in _WORD.finditer(message)]


def _lower(message: str, words: list[Word]) -> list[str]:
    """Return each word's `lower`, made for the whole message at once where letters keep places."""
    lower = message.lower().translate(_APOSTROPHE)
    if len(lower) != len(message):
        return [word.lower for word in words]
    return [lower[word.start : word.end] for word in words]


@lru_cache(maxsize=50_000)
def forms(word: str) -> tuple[str, ...]:
    """Return a word and what it may be a plural or an inflected form of, the word first.

    >>> forms("puppies")
    ('puppies', 'puppy', 'puppie')
    """
    found = [word]
    if word.endswith("'s"):
        found.append(word[:-2])
    if len(word) > 3:
        if word.endswith("ies"):
            found.append(word[:-3] + "y")
        if word.endswith(("ches", "shes", "sses", "xes", "oes", "zes")):
            found.append(word[:-2])
        if word.endswith("ves"):
            found += [word[:-3] + "f", word[:-3] + "fe"]
        if word.endswith("s") and not word.endswith(("ss", "us", "is")):
            found.append(word[:-1])
    return tuple(dict.fromkeys(found))


def distinct(words: Iterable[str]) -> Iterator[str]:
    """Yield words and their singulars, each once, in the order of the text."""
    return iter(dict.fromkeys(form for word in words for form in forms(word)))
