"""Language: another one than English, typos, gibberish, shouting, fillers.

Names, chat spelling ("u", "sooo", "gonna") and emoji are no typos: a word counts as one when it is
written in small letters and neither a dictionary of 83,000 words (symspellpy's) nor the frequencies
of written English (wordfreq, which has read chats) know it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources

import wordfreq

from verification.finding import Finding
from verification.lists import words_in
from verification.talk import Talk
from verification.thresholds import (
    COMMON_WORDS,
    ENGLISH_WORDS,
    FILLER_TURNS,
    FOREIGN_LETTERS,
    GIBBERISH_TURN,
    KNOWN_ZIPF,
    MIN_TYPOS,
    MIN_WORDS_OF_LANGUAGE,
    RARE_ZIPF,
    SHOUTED,
    TYPOS,
)

_DICTIONARY = "frequency_dictionary_en_82_765.txt"
# Laughter, sighs and chat words that no dictionary has, and letters held down for feeling.
_CHAT = re.compile(
    r"(?:b?w?a*(?:ha|he|hi|ja|je){2,}h?[aei]?|l+o+l+(?:o+l+)*|lmf?ao+|rofl|o+m+g+|x+d+|m+h*m+|h+m+|"
    r"a+w+e?s*|o+h+|a+h+|u+h+|e+w+|y+a+y+|w+o+w+s*|y+u+m+(?:m+y+)?|n+o+p+e+|y+e+p+|y+u+p+|a+r+g+h+|"
    r"u+g+h+|y+a+s+|y+e+a+h*|w+o+o+(?:h+o+)*|z+|sh+|ps+t+|brb|ttyl|idk|tbh|imo|btw|thx|tq|pls|plz|"
    r"ppl|bday|selfie\w*|vacay|whatcha|gotcha|wanna|gonna|gotta|kinda|sorta|dunno|lemme|gimme|ya'?ll|"
    r"y'?all|bff|bbq|tv|ok(?:ay)?|pics?|vids?|info|fav|delish|tho|cuz|coz|luv|rly|prob(?:ly|s)?|"
    r"def|congrats|insta\w*|covid|netflix|airbnb|nvm|smh|wbu|hbu|jk|np|ty|tysm|omw|asap|fyi|rn|hru|"
    r"wyd|gm|gn|u|r|ur|im|ive|id|ill|dont|cant|wont|didnt|doesnt|isnt|wasnt|thats|whats|hows|lets|"
    r"youre|theyre|hes|shes|theres|heres|couldnt|wouldnt|shouldnt|havent|hasnt|arent|werent|weve)",
    re.IGNORECASE,
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
_LETTERS = "abcdefghijklmnopqrstuvwxyz'"
_HELD = re.compile(r"(.)\1{2,}")
_FILLERS = frozenset(words_in("fillers"))


def typos(talk: Talk) -> list[Finding]:
    """Too many words that are misspelt.

    A word unknown but one slip away from a common one counts 1; another unknown word, which may be
    a dish or a name in small letters, counts half.
    """
    wrong = [
        (index, word, weight)
        for index, words in enumerate(talk.words)
        for word in words
        if (weight := typo_weight(word.text))
    ]
    count = sum(weight for _, _, weight in wrong)
    total = sum(map(len, talk.words))
    share = count / total if total else 0.0
    if count < MIN_TYPOS or share < TYPOS:
        return []
    text = f"{len(wrong)} of {total} words are in no dictionary."
    return [
        Finding("typos", "review", text, index, word.start, word.end, round(share, 3))
        for index, word, _ in wrong
    ]


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


@lru_cache(maxsize=1)
def dictionary() -> frozenset[str]:
    """Return symspellpy's English words, in lower case."""
    text = (resources.files("symspellpy") / _DICTIONARY).read_text("utf-8-sig")
    return frozenset(line.split()[0] for line in text.splitlines() if line)


@lru_cache(maxsize=100_000)
def is_known(word: str) -> bool:
    """Say whether English, a chat or a name knows the word (in lower case)."""
    known = frequency(word) >= (RARE_ZIPF if word in dictionary() else KNOWN_ZIPF)
    if known or _CHAT.fullmatch(word):
        return True
    if _HELD.search(word):
        return is_known(_HELD.sub(r"\1", word)) or is_known(_HELD.sub(r"\1\1", word))
    if word.endswith("'s"):
        return is_known(word[:-2])
    pieces = [piece for piece in re.split(r"['-]", word) if piece]
    return len(pieces) > 1 and all(map(is_known, pieces))


@lru_cache(maxsize=100_000)
def frequency(word: str) -> float:
    """Return the word's Zipf frequency in English: 0 unknown, 7.7 for "the"."""
    return wordfreq.zipf_frequency(word, "en")


@lru_cache(maxsize=100_000)
def typo_weight(text: str) -> float:
    """Return how far a word, as written, counts as a typo: 0, 0.5 or 1."""
    word = text.lower().replace("’", "'")
    plain = all(letter < "ɐ" for letter in word) and not any(map(str.isdigit, word))
    if len(word) < 2 or not plain or is_known(word):
        return 0.0
    if len(word) > 2 and _slip(word):
        return 1.0
    return 0.5 if text.islower() else 0.0


def _slip(word: str) -> bool:
    """Say whether one letter too many, too few, wrong or swapped parts it from a common word."""
    cuts = [(word[:place], word[place:]) for place in range(len(word) + 1)]
    near = {left + right[1:] for left, right in cuts if right}
    near |= {left + right[1] + right[0] + right[2:] for left, right in cuts if len(right) > 1}
    near |= {left + letter + right for left, right in cuts for letter in _LETTERS}
    near |= {left + letter + right[1:] for left, right in cuts if right for letter in _LETTERS}
    return any(other in _common() for other in near)


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    return frozenset(wordfreq.top_n_list("en", COMMON_WORDS))


@lru_cache(maxsize=50_000)
def _is_gibberish(word: str) -> bool:
    if len(word) < 5 or frequency(word) > 0 or _CHAT.fullmatch(word) or _HELD.search(word):
        return False
    vowels = sum(letter in "aeiouyáéíóúäöü" for letter in word)
    runs = max(map(len, re.findall(r"[bcdfghjklmnpqrstvwxz]+", word)), default=0)
    return word.isascii() and word.isalpha() and (vowels / len(word) < 0.2 or runs >= 5)


@lru_cache(maxsize=50_000)
def _is_common(word: str) -> bool:
    return frequency(word) >= 4.0 or bool(_CHAT.fullmatch(word))


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
