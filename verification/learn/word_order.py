"""Counts which word follows which on the dev split, for verification/checks/word_order.py."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from photochat.dialogue import Dialogue
from verification.checks.word_order import class_names, classes
from verification.learn.affinity import save
from verification.talk import Talk

WORDS = 600  # more words make rarer pairs: 600 told shuffled dev messages best, held out
SMOOTHING = 6.0  # pairs as if seen this often by chance
UNIT = 20.0  # steps of a log ratio


def count_pairs(dialogues: Sequence[Dialogue], out: Path) -> None:
    """Write the log ratios of the pairs that occur, and for each word that of a pair unseen."""
    messages = [words for dialogue in dialogues for words in Talk(dialogue).lower if words]
    frequent = Counter(word for words in messages for word in words).most_common(WORDS)
    words = class_names() + sorted(word for word, _ in frequent)
    number = {word: place for place, word in enumerate(words)}
    counts = np.zeros((len(words), len(words)))
    for message in messages:
        numbers = classes(message, number)
        np.add.at(counts, (numbers[:-1], numbers[1:]), 1)
    follows = counts.sum(0) / counts.sum()
    total = counts.sum(1)
    chance = SMOOTHING * follows[None, :]
    ratio = np.log((counts + chance) / (total[:, None] + SMOOTHING) / np.maximum(follows, 1e-12))
    cells = np.flatnonzero(counts)
    save(
        out,
        words=np.frombuffer("\n".join(words).encode(), np.uint8),
        never=np.log(SMOOTHING / (total + SMOOTHING)).astype(np.float16),
        steps=np.diff(cells, prepend=0).astype(np.uint32),
        values=np.clip(np.round(ratio.flat[cells] * UNIT), -127, 127).astype(np.int8),
        unit=np.array(UNIT, np.float32),
    )
