"""Typos, weighed: how much likelier is each word if one word in twenty is misspelt?

A word was meant as it stands (with the frequency that wordfreq gives it), or is a name or a dish
that no list has, or was meant to be another word and one letter slipped: doubled, left out, swapped
with its neighbour, or the key beside it was hit. The log of the ratio between "one in twenty" and
"as people who were accepted do" is added up over the dialogue. So a rare word near a common one
("qith") weighs much, "churro" little, and sound words speak against typos. Names, chat spelling
("u", "sooo", "gonna") and emoji are no typos.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import wordfreq

from verification.checks.chat_words import CHAT, HELD
from verification.finding import Finding
from verification.talk import Talk
from verification.thresholds import MISSPELT, TYPOS

RATE = 0.05  # of the words, in a dialogue with too many typos
USUAL_RATE = 0.01  # what people make who are accepted
UNLISTED = 0.004  # words that no list has, of all words
UNLISTED_NAME = 0.05  # of the words with a capital within a sentence
UNLISTED_MEANT = 0.03  # misspelt words that were meant to be one that no list has
LETTERS_OF_UNLISTED = (
    1 / 12
)  # probability of each letter of a word that no list has, and of its end
HELD_DOWN = 0.05  # of a word's uses, those with a letter held down ("soooo")
COMPOUND = 0.01  # of the rarer part's uses, those in a compound with a hyphen or an apostrophe
LISTED = 1e-6  # rarer words are seldom meant when another stands there
SURE = 2e-4  # frequency from which no word is taken for a slip; chat words count as such

# The slips, a quarter each: a letter doubled or added, left out, swapped, another key hit.
SLIP = 0.25
REPEATED, NEAR_ADDED, ANY_ADDED = 0.8 / 2, 0.15 / 5, 0.05 / 26  # which letter is added
BESIDE, ABOVE, ANYWHERE = 0.35, 0.05, 0.005  # which key is hit instead
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_PLAIN = re.compile("[a-z'-]+")


class Weighed(NamedTuple):
    """What a word says: the log ratio, and the word that was perhaps meant ("" if none)."""

    weight: float
    meant: str


SOUND = Weighed(math.log(1 - RATE), "")


def typos(talk: Talk) -> list[Finding]:
    """Too many words that are probably misspelt; each is marked."""
    total, wrong = weigh(talk)
    if total < TYPOS:
        return []
    words, score = sum(map(len, talk.words)), round(total, 2)
    if not wrong:
        text = f"Of {words} words many are perhaps misspelt."
        return [Finding("typos", "review", text, score=score)]
    found = []
    for index, start, end, meant in wrong:
        text = f"One of {len(wrong)} words, of {words}, that look misspelt"
        text += f": “{meant}”?" if meant else "."
        found.append(Finding("typos", "review", text, index, start, end, score))
    return found


def weigh(talk: Talk) -> tuple[float, list[tuple[int, int, int, str]]]:
    """Return the log ratio of the talk, and the words against it: turn, start, end, meant.

    A word that stands there several times ("churro") speaks against the talk once.
    """
    total = 0.0
    wrong: list[tuple[int, int, int, str]] = []
    seen = set(_names(talk))
    for index, words in enumerate(talk.words):
        for place, word in enumerate(words):
            lower = talk.lower[index][place]
            if len(lower) < 2 or lower in seen:
                continue
            named = place > 0 and word.text[0].isupper() and not word.text.isupper()
            weighed = weigh_word(lower, named)
            total += weighed.weight
            if weighed.weight > 0:
                seen.add(lower)
            if weighed.weight >= MISSPELT:
                wrong.append((index, word.start, word.end, weighed.meant))
    return total, wrong


@lru_cache(maxsize=100_000)
def weigh_word(word: str, named: bool) -> Weighed:
    """Weigh a word in small letters; `named` says that it has a capital within a sentence."""
    sound = _frequency(word)
    if _never_a_slip(word, sound) or not _PLAIN.fullmatch(word):
        return SOUND
    letters = LETTERS_OF_UNLISTED ** (len(word) + 1)
    slips = _slips(word)
    slipped = sum(slips.values()) + UNLISTED_MEANT * letters
    meant = sound + (UNLISTED_NAME if named else UNLISTED) * letters + USUAL_RATE * slipped
    likeliest = max(slips, key=lambda other: (slips[other], other), default="")
    return Weighed(math.log(1 - RATE + RATE * slipped / meant), likeliest)


def _names(talk: Talk) -> Iterator[str]:
    """Yield the name that the sharer was given, which may be in no list."""
    photo = talk.dialogue.description
    if photo is not None and photo.persona is not None:
        yield photo.persona.name.lower()
        yield f"{photo.persona.name.lower()}'s"


@lru_cache(maxsize=100_000)
def _frequency(word: str) -> float:
    """Return how often, of all words, a word is meant as it stands."""
    listed = wordfreq.get_frequency_dict("en")
    found: float = listed.get(word, 0.0)
    if CHAT.fullmatch(word):
        found = max(found, SURE)
    if HELD.search(word):
        short = max(_frequency(HELD.sub(r"\1", word)), _frequency(HELD.sub(r"\1\1", word)))
        found = max(found, HELD_DOWN * short)
    if word.endswith("'s"):
        return max(found, HELD_DOWN * _frequency(word[:-2]))
    parts = [part for part in re.split("['-]", word) if part]
    if len(parts) > 1:
        found = max(found, COMPOUND * min(map(_frequency, parts)))
    return found


def _slips(word: str) -> dict[str, float]:
    """Return each word that one slip turns into `word`, with the probability of both."""
    known = _known()
    ways: list[tuple[str, float]] = []
    for place in range(len(word) + 1):
        left, rest = word[:place], word[place:]
        follow = known.follow.get(left)
        if follow is None:
            break
        if rest in known.ends:
            ways += [(left + other + rest, SLIP) for other in follow]
        if not rest:
            break
        letter, right = rest[0], rest[1:]
        if right in known.ends:
            ways += [
                (left + other + right, SLIP * _key(other, letter))
                for other in follow
                if other != letter
            ]
            beside = left[-1:] + right[:1]
            near = any(_key(other, letter) > ANYWHERE for other in beside)
            added = REPEATED if letter in beside else NEAR_ADDED if near else ANY_ADDED
            ways.append((left + right, SLIP * added))
        if right and right[0] != letter:
            chance = SLIP * len(word) / (len(word) - 1)
            ways.append((left + right[0] + letter + right[1:], chance))
    chances: dict[str, float] = {}
    for other, chance in ways:
        frequency = known.words.get(other)
        if frequency is not None:
            chances[other] = chances.get(other, 0.0) + chance * frequency / len(other)
    return chances


class Known(NamedTuple):
    """The words that may have been meant, with their frequency, and how they go on and end."""

    words: dict[str, float]
    follow: dict[str, str]  # the letters that follow each beginning of a word
    ends: frozenset[str]
    likeliest: list[float]  # for each length of a word, how likely a slip makes it at most


@lru_cache(maxsize=1)
def _known() -> Known:
    listed = wordfreq.get_frequency_dict("en")
    words = {word: often for word, often in listed.items() if often >= LISTED and word.isascii()}
    follow: dict[str, dict[str, None]] = {}
    most = [0.0] * (max(map(len, words)) + 2)
    for word, often in words.items():
        most[len(word)] = max(most[len(word)], often)
        for end in range(len(word)):
            follow.setdefault(word[:end], {})[word[end]] = None
        follow.setdefault(word, {})
    return Known(
        words,
        {beginning: "".join(letters) for beginning, letters in follow.items()},
        frozenset(word[start:] for word in words for start in range(len(word) + 1)),
        [
            SLIP * max(most[max(length - 1, 0) : length + 2]) / max(length - 1, 1)
            for length in range(len(most) - 1)
        ],
    )


def _never_a_slip(word: str, sound: float) -> bool:
    """Say whether a word is more frequent than what slips make of any other of its length."""
    likeliest = _known().likeliest
    return sound >= SURE or len(word) >= len(likeliest) or sound >= likeliest[len(word)]


@lru_cache(maxsize=2_000)
def _key(meant: str, hit: str) -> float:
    """Return how probable it is that another key was hit: beside it, above or below, elsewhere."""
    places = [(row, keys.find(letter)) for letter in (meant, hit) for row, keys in enumerate(_ROWS)]
    places = [(row, column) for row, column in places if column >= 0]
    if len(places) < 2:
        return ANYWHERE
    (row, column), (other_row, other_column) = places
    if row == other_row:
        return BESIDE if abs(column - other_column) == 1 else ANYWHERE
    above = other_column - column in ((0, 1) if other_row < row else (-1, 0))
    return ABOVE if above and abs(row - other_row) == 1 else ANYWHERE
