"""Language: another one than English, gibberish, shouting, fillers."""

from __future__ import annotations

import re
from functools import lru_cache

import wordfreq

from verification.checks.chat_words import CHAT, HELD
from verification.finding import Finding
from verification.lists import words_in
from verification.talk import Talk
from verification.thresholds import (
    ENGLISH_WORDS,
    FILLER_TURNS,
    FOREIGN_LETTERS,
    GIBBERISH_TURN,
    MIN_WORDS_OF_LANGUAGE,
    SHOUTED,
)

# What py3langid's codes stand for; the others are shown as codes.
_LANGUAGES = {
    "en": "English", "es": "Spanish", "fr": "French", "de": "German", "it": "Italian",
    "pt": "Portuguese",
    "nl": "Dutch", "hi": "Hindi", "ta": "Tamil", "te": "Telugu", "ar": "Arabic", "he": "Hebrew",
    "zh": "Chinese", "ja": "Japanese", "ko": "Korean", "ru": "Russian", "id": "Indonesian",
    "ms": "Malay", "tl": "Tagalog", "tr": "Turkish",
}  # fmt: skip
_LINK = re.compile(r"https?://|www\.|\.(?:com|org|jpe?g)\b", re.IGNORECASE)
_FILLERS = frozenset(words_in("fillers"))


def not_english(talk: Talk) -> list[Finding]:
    """The talk, or a long message of it, is in another language."""
    found = []
    foreign = [
        index
        for index, words in enumerate(talk.lower)
        if _is_foreign(words) and not _LINK.search(talk.messages[index])
    ]
    letters = "".join(talk.messages)
    if foreign or any(ord(letter) > 0x24F for letter in letters):
        foreign += [
            index
            for index, message in enumerate(talk.messages)
            if index not in foreign and _other_script(message)
        ]
    spoken = sum(bool(words) for words in talk.words)
    for index in sorted(foreign):
        name = _language(talk.messages[index])
        if name == "English":
            continue
        share = round(len(foreign) / max(spoken, 1), 3)
        text = f"This is not English{f' ({name}?)' if name else ''}."
        found.append(
            Finding("not-english", "review", text, index, 0, len(talk.messages[index]), share)
        )
    return found


def gibberish(talk: Talk) -> list[Finding]:
    """Messages of keys hit at random, or without any word."""
    found = []
    for index, words in enumerate(talk.words):
        odd = [word for word in words if _is_gibberish(word.lower)]
        letters = sum(len(word.text) for word in words)
        share = sum(len(word.text) for word in odd) / letters if letters else 0.0
        if odd and share >= GIBBERISH_TURN:
            text = "This looks like keys hit at random."
            span = (odd[0].start, odd[-1].end)
            found.append(Finding("gibberish", "review", text, index, *span, round(share, 3)))
    silent = [
        index
        for index in range(len(talk.messages))
        if talk.messages[index].strip() and not talk.words[index]
    ]
    if silent and len(silent) * 2 > sum(bool(message.strip()) for message in talk.messages):
        text = "Most messages have no word in them, only signs or emoji."
        found.append(Finding("gibberish", "review", text, silent[0]))
    return found


def shouting(talk: Talk) -> list[Finding]:
    """Most of the talk of one side is in capitals."""
    found = []
    for user in sorted({turn.user_id for turn in talk.dialogue.turns}):
        own = [i for i, t in enumerate(talk.dialogue.turns[: len(talk.words)]) if t.user_id == user]
        long = [w for i in own for w in talk.words[i] if len(w.text) > 2 and w.text.isascii()]
        loud = sum(word.text.isupper() for word in long)
        if long and len(long) >= 5 and loud / len(long) >= SHOUTED:
            first = next(i for i in own if any(w.text.isupper() for w in talk.words[i]))
            text = f"User {user} writes in capitals: {loud} of {len(long)} words."
            score = round(loud / len(long), 3)
            found.append(Finding("shouting", "note", text, first, score=score))
    return found


def fillers(talk: Talk) -> list[Finding]:
    """Hardly anything but greetings, yes, no and praise."""
    said = [words for words in talk.lower if words]
    empty = sum(all(word in _FILLERS for word in words) for words in said)
    share = empty / len(said) if said else 0.0
    if share < FILLER_TURNS:
        return []
    text = f"{empty} of {len(said)} messages say nothing but yes, no, hello or wow."
    return [Finding("fillers", "review", text, score=round(share, 3))]


@lru_cache(maxsize=100_000)
def frequency(word: str) -> float:
    """Return the word's Zipf frequency in English: 0 unknown, 7.7 for "the"."""
    return wordfreq.zipf_frequency(word, "en")


@lru_cache(maxsize=50_000)
def _is_gibberish(word: str) -> bool:
    if len(word) < 5 or frequency(word) > 0 or CHAT.fullmatch(word) or HELD.search(word):
        return False
    vowels = sum(letter in "aeiouyáéíóúäöü" for letter in word)
    runs = max(map(len, re.findall(r"[bcdfghjklmnpqrstvwxz]+", word)), default=0)
    return word.isascii() and word.isalpha() and (vowels / len(word) < 0.2 or runs >= 5)


@lru_cache(maxsize=50_000)
def _is_common(word: str) -> bool:
    return frequency(word) >= 4.0 or bool(CHAT.fullmatch(word))


def _is_foreign(words: list[str]) -> bool:
    if len(words) < MIN_WORDS_OF_LANGUAGE:
        return False
    return sum(map(_is_common, words)) / len(words) < ENGLISH_WORDS


def _other_script(message: str) -> bool:
    letters = [letter for letter in message if letter.isalpha()]
    return len(letters) >= 3 and (
        sum(letter > "\u024f" for letter in letters) / len(letters) > FOREIGN_LETTERS
    )


@lru_cache(maxsize=10_000)
def _language(message: str) -> str:
    """Name the language of a message; "" when the identifier does not know."""
    import py3langid

    code, _ = py3langid.classify(message)
    return _LANGUAGES.get(str(code), str(code))
