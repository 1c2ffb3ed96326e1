"""Distils a sentence encoder into the table of words that hint at labels."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import wordfreq

from photochat.atomic import atomic_file
from verification.association.affinity import LEVELS

Vectors = npt.NDArray[np.float32]
WORDS = 9_000  # the most frequent English words are candidates, with the names of the labels
PER_LABEL = 130  # hints kept for each label
COMMON = 7.3  # Zipf frequency from which a word says nothing: "the" has 7.7
SHORTEST = 3


def distil(labels: Sequence[str], encode: Callable[[Sequence[str]], Vectors], out: Path) -> None:
    """Write for each label the words nearest to it.

    Nearness is the cosine of mean-free vectors times the root of the word's rarity; a label's
    values run from 0 (the first word left out) to 1 (the nearest), in `LEVELS` steps.
    """
    words = sorted(
        word
        for word in wordfreq.top_n_list("en", WORDS)
        if re.fullmatch("[a-z]+", word) and len(word) >= SHORTEST
    )
    rarity = np.array([wordfreq.zipf_frequency(word, "en") for word in words])
    rarity = np.sqrt(np.clip(COMMON - rarity, 0.3, 4))
    near = _centred(encode(words)) @ _centred(encode(labels)).T * rarity[:, None]
    counts, steps, values = [], [], []
    for column in near.T:
        best = np.argsort(-column, kind="stable")[: PER_LABEL + 1]
        low, high = column[best[-1]], column[best[0]]
        chosen = np.sort(best[:-1])
        level = np.ceil((column[chosen] - low) / (high - low) * LEVELS).astype(np.uint8)
        counts.append(len(chosen))
        steps.append(np.diff(chosen, prepend=0).astype(np.uint16))
        values.append(level)
    save(
        out,
        words=np.frombuffer("\n".join(words).encode(), np.uint8),
        labels=np.frombuffer("\n".join(labels).encode(), np.uint8),
        counts=np.array(counts, np.uint16),
        steps=np.concatenate(steps),
        values=np.concatenate(values),
    )


def save(path: Path, **arrays: npt.NDArray[Any]) -> None:
    """Write arrays to one compressed file, whole or not at all."""
    with atomic_file(path) as part, part.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def _centred(vectors: Vectors) -> Vectors:
    vectors = vectors - vectors.mean(0)
    centred: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return centred
