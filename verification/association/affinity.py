"""Words that hint at a label: "birthday" at Cake, "leash" at Dog.

The table was distilled once from a sentence encoder (verification/learn/): for each label the
words nearest to it, with how near (0 to 1). It needs no model to be read.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from photochat.themes import release_name
from verification.association.kinds import LEARNED, kin_of, names_of
from verification.talk import distinct

TOP = (1.0, 0.5, 0.25)  # the best three hints of a label count, the first most
KIN = 0.8  # what a word for a kind of the label counts at least
LEVELS = 15  # the table keeps nearness in four bits


@lru_cache(maxsize=1)
def table() -> dict[str, dict[str, float]]:
    """Return label -> word -> nearness, 0 to 1."""
    with np.load(str(LEARNED / "affinity.npz")) as packed:
        words = packed["words"].tobytes().decode().split("\n")
        labels = packed["labels"].tobytes().decode().split("\n")
        counts, steps, values = packed["counts"], packed["steps"], packed["values"]
    near: dict[str, dict[str, float]] = {}
    start = 0
    for label, count in zip(labels, counts.tolist(), strict=True):
        part = slice(start, start + count)
        places, levels = np.cumsum(steps[part]).tolist(), values[part].tolist()
        near[label] = {
            words[place]: level / LEVELS for place, level in zip(places, levels, strict=True)
        }
        start += count
    return near


@lru_cache(maxsize=4096)
def hinting(label: str) -> dict[str, float]:
    """Return every word that hints at a label, with how strongly.

    A word that names the label counts 1, one that names a kind of it (or what it is a kind of)
    counts 0.8 at least, whatever the table says.
    """
    known = {word: value for word, value in table().get(release_name(label), {}).items() if value}
    kin = {word: max(known.get(word, 0.0), KIN) for word in kin_of(label)}
    return {**known, **kin, **dict.fromkeys(names_of(label), 1.0)}


def hints(words: Iterable[str], labels: Iterable[str]) -> dict[str, dict[str, float]]:
    """Return label -> word -> nearness for the words that hint at one of the labels."""
    said = tuple(distinct(words))
    found = {}
    for label in labels:
        known = hinting(label)
        found[label] = {word: known[word] for word in said if word in known}
    return found


def strength(hinted: dict[str, float]) -> float:
    """Add up the best hints of a label (0 to the sum of `TOP`)."""
    best = sorted(hinted.values(), reverse=True)[: len(TOP)]
    return sum(weight * value for weight, value in zip(TOP, best, strict=False))
