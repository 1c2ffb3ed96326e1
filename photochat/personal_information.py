"""Finds what tells who somebody is: e-mail addresses, phone numbers, postal addresses.

A hint for the writer before sending and for the reviewer afterwards, no verdict: it may be too
eager for a house number, never for a year, a price or a count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple


class PersonalInformation(NamedTuple):
    """What was found in a text, and between which characters."""

    kind: str
    start: int
    end: int


_EMAIL = re.compile(
    r"[\w.+-]{1,64}\s?@\s?[\w-]{1,63}(?:\s?\.\s?[\w-]{1,63}){0,3}\s?\.\s?[A-Za-z]{2,24}\b"
)
_DOT = r"(?:\s+dot\s+|\s?\(dot\)\s?|\s?\[dot\]\s?|_dot_)"
_SPELLED_EMAIL = re.compile(  # "jo at example dot org": only with both words
    rf"[\w.+-]{{1,64}}(?:{_DOT}[\w+-]{{1,64}}){{0,2}}"
    r"(?:\s+at\s+|\s?@\s?|\s?\(at\)\s?|\s?\[at\]\s?|_at_)"
    rf"[\w-]{{1,63}}(?:{_DOT}[\w-]{{1,63}}){{0,2}}{_DOT}[A-Za-z]{{2,24}}\b",
    re.IGNORECASE,
)
_MAIL_PROVIDER = re.compile(  # "jo at gmail", "jo (at) yahoo.com"
    r"[\w.+-]{1,64}\s?(?:\sat\s|@|\(at\)|\[at\])\s?"
    r"(?:gmail|hotmail|yahoo|outlook|icloud|aol|protonmail|gmx)(?:\s?\.\s?[a-z]{2,4})?\b",
    re.IGNORECASE,
)
# Digits in groups that people write phone numbers in, with or without a country code.
_PHONE = re.compile(r"(?<![\w.,$€£])(?:\+|00)?\(?\d[\d\s().\-/]{5,20}\d(?![\w%])")
_DIGIT = r"(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|\d)"
_SPELLED_PHONE = re.compile(  # seven digits or more, some of them as words
    rf"\b(?:(?:double|triple)\s)?{_DIGIT}(?:[\s,.\-]{{1,3}}(?:(?:double|triple)\s)?{_DIGIT}){{5,17}}\b",
    re.IGNORECASE,
)
_STREET = re.compile(
    r"\b\d{1,5}[a-z]?\s+(?:[A-Z0-9][\w'.-]*\s+){1,4}"
    r"(?:street|st|avenue|ave|road|rd|lane|ln|drive|dr|boulevard|blvd|court|ct|place|pl|square|sq|"
    r"terrace|way|close|crescent|highway|hwy)\b\.?",
    re.IGNORECASE,
)
_GERMAN_STREET = re.compile(
    r"\b[A-ZÄÖÜ]\w+(?:straße|strasse|str\.|weg|gasse|allee|platz)\s+\d{1,4}\b", re.IGNORECASE
)
_POST_BOX = re.compile(r"\bp\.?\s?o\.?\s?box\s+\d+", re.IGNORECASE)
_UK_POSTCODE = re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}\b")
_US_POSTCODE = re.compile(r"\b[A-Z]{2}\s\d{5}(?:-\d{4})?\b")

_EMAILS = (_EMAIL, _SPELLED_EMAIL, _MAIL_PROVIDER)
_PLACES = (_STREET, _GERMAN_STREET, _POST_BOX, _UK_POSTCODE, _US_POSTCODE)

_DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{4}\s?[-–/]\s?\d{4}"
)
PHONE_DIGITS = (7, 15)  # fewest and most digits of a phone number; 15 is E.164's limit

# A text without any of these holds none of the above: most messages are done with at once.
_WORTH_A_LOOK = re.compile(
    r"\d|@|[\[(_\s]at[\])_\s]|(?:zero|oh|one|two|three|four|five|six|seven|eight|nine)[\s,.\-]",
    re.IGNORECASE,
)


def find_personal_information(text: str) -> list[PersonalInformation]:
    """Return what in `text` is an "e-mail address", a "phone number" or a "postal address".

    In the order of these kinds, and of the text within a kind; nothing overlaps within a kind.
    """
    if not _WORTH_A_LOOK.search(text):
        return []
    phones = [match.span() for match in _PHONE.finditer(text) if _is_phone(match[0])]
    phones += [match.span() for match in _SPELLED_PHONE.finditer(text) if _is_spelled(match[0])]
    return [
        *_apart("e-mail address", (m.span() for p in _EMAILS for m in p.finditer(text))),
        *_apart("phone number", phones),
        *_apart("postal address", (m.span() for p in _PLACES for m in p.finditer(text))),
    ]


def personal_information(text: str) -> tuple[str, ...]:
    """Return the kinds found in `text`, of "e-mail address", "phone number", "postal address".

    >>> personal_information("call me, 555 010 9999, or mail jo@example.org")
    ('e-mail address', 'phone number')
    >>> personal_information("in 2019 I paid 1,250 dollars for 12 of them")
    ()
    """
    return tuple(dict.fromkeys(found.kind for found in find_personal_information(text)))


def _apart(
    kind: str, spans: Iterator[tuple[int, int]] | list[tuple[int, int]]
) -> Iterator[PersonalInformation]:
    end = 0
    for start, stop in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= end:
            yield PersonalInformation(kind, start, stop)
            end = stop


def _is_phone(text: str) -> bool:
    text = text.strip()
    digits = sum(character.isdigit() for character in text)
    fewest, most = PHONE_DIGITS
    round_number = text.isdigit() and text.endswith("00000")
    return fewest <= digits <= most and not round_number and not _DATE.fullmatch(text)


def _is_spelled(text: str) -> bool:
    """Say whether digit words make a phone number; "one, two, three ..." only counts up."""
    words = re.findall(r"[a-z]+|\d", text.lower())
    digits = len(words) + words.count("triple")  # "double five" is two words and two digits
    fewest, most = PHONE_DIGITS
    counting = text.lower().replace(",", " ").split()[:3] == ["one", "two", "three"]
    return fewest <= digits <= most and not counting
