"""Finds what tells who somebody is: e-mail addresses, phone numbers, postal addresses.

A warning before sending, no verdict: a hit asks the writer to look again, so it may be too eager
for a house number, never for a year, a price or a count.
"""

from __future__ import annotations

import re

_EMAIL = re.compile(r"[\w.+-]{1,64}\s?@\s?[\w-]{1,63}(?:\.[\w-]{1,63}){0,3}\.[A-Za-z]{2,24}\b")
_SPELLED_EMAIL = re.compile(  # "jo at example dot org": only with both words
    r"[\w.+-]{1,64}\s*(?:\s(?:at|@)\s|\(at\)|\[at\])\s*[\w-]{1,63}"
    r"\s*(?:\sdot\s|\(dot\)|\[dot\])\s*[A-Za-z]{2,24}\b",
    re.IGNORECASE,
)
# Digits in groups that people write phone numbers in, with or without a country code.
_PHONE = re.compile(r"(?<![\w.,$€£])(?:\+|00)?\(?\d[\d\s().\-/]{5,20}\d(?![\w%])")
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

_DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{4}\s?[-–/]\s?\d{4}"
)
PHONE_DIGITS = (7, 15)  # fewest and most digits of a phone number; 15 is E.164's limit


def personal_information(text: str) -> tuple[str, ...]:
    """Return the kinds found in `text`, of "e-mail address", "phone number", "postal address".

    >>> personal_information("call me, 555 010 9999, or mail jo@example.org")
    ('e-mail address', 'phone number')
    >>> personal_information("in 2019 I paid 1,250 dollars for 12 of them")
    ()
    """
    kinds = []
    if _EMAIL.search(text) or _SPELLED_EMAIL.search(text):
        kinds.append("e-mail address")
    if any(_is_phone(match[0]) for match in _PHONE.finditer(text)):
        kinds.append("phone number")
    places = (_STREET, _GERMAN_STREET, _POST_BOX, _UK_POSTCODE, _US_POSTCODE)
    if any(pattern.search(text) for pattern in places):
        kinds.append("postal address")
    return tuple(kinds)


def _is_phone(text: str) -> bool:
    text = text.strip()
    digits = sum(character.isdigit() for character in text)
    fewest, most = PHONE_DIGITS
    round_number = text.isdigit() and text.endswith("00000")
    return fewest <= digits <= most and not round_number and not _DATE.fullmatch(text)
