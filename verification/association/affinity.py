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
LEVELS = 15  # the table keeps nearness in four bits


@lru_cache(maxsize=1)
def table() -> dict[str, dict[str, float]]:
    """Return word -> label -> nearness, 0 to 1."""
    with np.load(str(LEARNED / "affinity.npz")) as packed:
        words = packed["words"].tobytes().decode().split("\n")
        labels = packed["labels"].tobytes().decode().split("\n")
        counts, steps, values = packed["counts"], packed["steps"], packed["values"]
    near: dict[str, dict[str, float]] = {}
    start = 0
    for label, count in zip(labels, counts, strict=True):
        part = slice(start, start + int(count))
        for index, value in zip(np.cumsum(steps[part]), values[part], strict=True):
            near.setdefault(words[int(index)], {})[label] = float(value) / LEVELS
        start += int(count)
    return near


def hints(words: Iterable[str], labels: Iterable[str]) -> dict[str, dict[str, float]]:
    """Return label -> word -> nearness for the words that hint at one of the labels.

    A word that names the label counts 1, one that names a kind of it (or what it is a kind of)
    counts 0.8 at least, whatever the table says.
    """
    near = table()
    found: dict[str, dict[str, float]] = {label: {} for label in labels}
    keys = [(release_name(label), names_of(label), kin_of(label)) for label in found]
    for word in distinct(words):
        row = near.get(word, {})
        for hinted, (name, names, kin) in zip(found.values(), keys, strict=True):
            value = 1.0 if word in names else max(row.get(name, 0.0), 0.8 * (word in kin))
            if value:
                hinted[word] = value
    return found


def strength(hinted: dict[str, float]) -> float:
    """Add up the best hints of a label (0 to the sum of `TOP`)."""
    best = sorted(hinted.values(), reverse=True)[: len(TOP)]
    return sum(weight * value for weight, value in zip(TOP, best, strict=False))
