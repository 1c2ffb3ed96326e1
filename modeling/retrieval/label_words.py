"""Words that talk and labels share, as vectors whose product is BM25's score (section 6.2).

What a network reads between the lines and what is said outright add up: a dual encoder may carry
this beside its own vectors, at a weight that it learns. Words are those of the training gallery's
labels, rare ones weighing more; a final s does not count ("dogs" is "dog").
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import msgspec
import numpy as np
import torch
from torch import Tensor

from modeling.bm25 import K1, B, words


class LabelWords(msgspec.Struct, frozen=True):
    """The vocabulary with each word's weight, and the mean number of words of a photo."""

    weights: dict[str, float]
    mean_length: float

    def of_talks(self, texts: Sequence[str]) -> Tensor:
        """Return how often each word is said, (texts, words)."""
        return self._counts(texts)

    def of_photos(self, texts: Sequence[str]) -> Tensor:
        """Return what each word is worth to a photo when it is said, (texts, words).

        As bm25s does, without the factor K1 + 1, which changes no rank.
        """
        counts = self._counts(texts)
        lengths = torch.tensor([[float(len(words(text, True)))] for text in texts])
        norm = K1 * (1 - B + B * lengths / max(self.mean_length, 1.0))
        return torch.tensor(list(self.weights.values())) * counts / (counts + norm)

    def _counts(self, texts: Sequence[str]) -> Tensor:
        place = {word: i for i, word in enumerate(self.weights)}
        table = np.zeros((len(texts), len(place)), np.float32)
        for line, text in zip(table, texts, strict=True):
            for word, count in Counter(words(text, True)).items():
                if word in place:
                    line[place[word]] = count
        return torch.from_numpy(table)


def label_words(photo_texts: Sequence[str]) -> LabelWords:
    """Return the words of a gallery's labels, each weighing what BM25 gives it there."""
    listed = [words(text, True) for text in photo_texts]
    found = Counter(word for text in listed for word in set(text))
    size = len(listed)
    return LabelWords(
        {
            word: math.log(1 + (size - count + 0.5) / (count + 0.5))
            for word, count in sorted(found.items())
        },
        float(np.mean([len(text) for text in listed])) if listed else 0.0,
    )
