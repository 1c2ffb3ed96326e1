"""Inappropriate words: a list with severities, and a classifier for what no list has.

Names ("Moby Dick"), quoted titles and words that only contain a rude one are left alone: words are
compared whole, a capital within a sentence makes a name of those that are names too, and what
stands in quotation marks is a note at most.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from verification.finding import Finding, Severity
from verification.lists import words_in
from verification.talk import Talk, Word
from verification.thresholds import OFFENSIVE, OFFENSIVE_ALONE

# verification/lists/: one word a line.
# Strong is what is never acceptable in a published dialogue: sexual, hateful, plain abuse.
_STRONG = words_in("strong")
_MILD = words_in("mild")
_ENDINGS = ("", "s", "es", "ed", "er", "ers", "ing", "in", "y", "head", "heads", "face")
# Also given or family names, animals, dishes.
_ALSO_NAMES = frozenset(words_in("also_names"))
_NEIGHBOURS = re.compile(
    r"\bdick van\b|\bmoby\s*-?\s*dick\b|\bspotted dick\b|\bdick(?:'s)? (?:sporting|cheney|tracy)\b|"
    r"\bcock(?:-a-|a )(?:doodle|leekie)|\bpussy\s?(?:cat|willow)s?\b|\bnazi (?:germany|era)\b|"
    r"\bmaine coon\b|\bhell'?s kitchen\b|\bhell's angels\b|\bass (?:milk|mule)\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[\"“][^\"“”]{1,80}[\"”]")
_DISGUISE = str.maketrans("013457@$!*", "oieastasi*")
_MASKED = re.compile(r"\b\w*[a-zA-Z][\w@$!*#.-]*[@$!*#013457][\w@$!*#.-]*[a-zA-Z]?\w*")

# Innocent: what endings make of listed stems, and means something else.
_LEVEL: dict[str, Severity] = {
    **{stem + end: "note" for stem in _MILD for end in ("", "s", "ed", "ing", "y")},
    **{stem + end: "reject" for stem in _STRONG for end in _ENDINGS},
}
for _word in words_in("innocent"):
    _LEVEL.pop(_word, None)

_NOWHERE: list[tuple[int, int]] = []
Classifier = Callable[[list[str]], list[float]]


@lru_cache(maxsize=1)
def default_classifier() -> Classifier | None:
    """Return alt-profanity-check's linear classifier of whole messages; None if not installed.

    The same numbers as its `predict_prob`, which spends a hundred times as long on a few messages.
    """
    try:
        from profanity_check.profanity_check import model, vectorizer
    except ImportError:
        return None
    cut, places = vectorizer.build_analyzer(), vectorizer.vocabulary_
    rarity: list[float] = vectorizer.idf_.tolist()
    parts = model.calibrated_classifiers_
    # What each word adds to each part's margin, before the message's length is divided out.
    weights = np.concatenate([part.estimator.coef_ for part in parts]) * vectorizer.idf_
    columns: list[list[float]] = weights.T.tolist()
    curves = [
        (place, float(part.estimator.intercept_[0]), part.calibrators[0].a_, part.calibrators[0].b_)
        for place, part in enumerate(parts)
    ]

    def probability(text: str) -> float:
        counts = Counter(places[word] for word in cut(text) if word in places).items()
        length = math.sqrt(sum((rarity[word] * count) ** 2 for word, count in counts)) or 1.0
        total = 0.0
        for place, bias, slope, shift in curves:
            margin = sum(columns[word][place] * count for word, count in counts) / length + bias
            total += 1 / (1 + math.exp(slope * margin + shift))
        return total / len(curves)

    return lambda texts: [probability(text) for text in texts]


def inappropriate(talk: Talk, classifier: Classifier | None) -> list[Finding]:
    """Rude words by the list; with a classifier also messages that it finds offensive."""
    found: list[Finding] = []
    open_turns = []
    for index, message in enumerate(talk.messages):
        words = list(_rude(message, talk.words[index], talk.lower[index]))
        found += [
            Finding("inappropriate", severity, _SAYS[severity], index, start, end)
            for severity, start, end in words
        ]
        if not words and len(talk.words[index]) > 2:
            open_turns.append(index)
    if classifier is not None and open_turns:
        scores = classifier([_plain(talk.messages[index]) for index in open_turns])
        listed = any(finding.severity != "note" for finding in found)
        for index, score in zip(open_turns, scores, strict=True):
            if score >= (OFFENSIVE if listed else OFFENSIVE_ALONE):
                text = "A classifier takes this message for offensive; no listed word is in it."
                found.append(
                    Finding("inappropriate", "note", text, index, 0, len(talk.messages[index]),
                            round(score, 3))
                )  # fmt: skip
    return found


_SAYS: dict[Severity, str] = {
    "reject": "An inappropriate word.",
    "review": "Perhaps an inappropriate word: look at who or what is meant.",
    "note": "A mild swear word, or a rude word within quotation marks.",
}


def _rude(message: str, words: list[Word], lower: list[str]) -> list[tuple[Severity, int, int]]:
    hits: list[tuple[Severity, int, int]] = []
    levels = [_LEVEL.get(said.removesuffix("'s").replace("-", "")) for said in lower]
    innocent = quoted = _NOWHERE
    if any(levels):
        innocent = [match.span() for match in _NEIGHBOURS.finditer(message)]
        quoted = [match.span() for match in _QUOTED.finditer(message)]
    for number, (word, severity) in enumerate(zip(words, levels, strict=True)):
        if severity is None or _within(word.start, innocent):
            continue
        named = word.text[0].isupper() and not word.text.isupper() and number > 0
        if named and word.lower in _ALSO_NAMES:
            continue
        if severity == "reject" and (_within(word.start, quoted) or word.lower in _ALSO_NAMES):
            severity = "note" if _within(word.start, quoted) else "review"
        hits.append((severity, word.start, word.end))
    for match in _MASKED.finditer(message):
        if _within(match.start(), [(start, end) for _, start, end in hits]):
            continue
        if _unmasked(match[0]):
            hits.append(("reject", *match.span()))
    return hits


def _unmasked(text: str) -> bool:
    """Say whether signs stand for the letters of a strong word: "sh!t", "f**k", "a$$hole"."""
    letters = text.lower().strip(".-!*#").translate(_DISGUISE)
    if "*" in letters or "#" in letters:
        pattern = re.compile("".join("." if c in "*#" else re.escape(c) for c in letters))
        strong = (word for word, severity in _LEVEL.items() if severity == "reject")
        return len(letters) > 3 and any(map(pattern.fullmatch, strong))
    return text.lower() != letters and _LEVEL.get(letters) == "reject"


def _plain(message: str) -> str:
    """Take quotations and names out of a message, so that they do not trip the classifier."""
    without = _QUOTED.sub(" ", _NEIGHBOURS.sub(" ", message))
    return re.sub(r"(?<=[a-z,;] )[A-Z][a-z]+", " ", without)


def _within(place: int, spans: list[tuple[int, int]]) -> bool:
    return any(start <= place < end for start, end in spans)
