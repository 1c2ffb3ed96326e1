"""A retrieval task with a known answer: each photo shows one of some concepts, in two ways.

Talks call a concept by another word than labels do, among words that say nothing, so that nothing
can be found before it is learnt.
"""

import numpy as np
import torch

from modeling.retrieval.examples import GalleryPhoto, Query, RetrievalExamples
from photochat.dialogue import Utterance

CONCEPTS = 18
NOISE = ["hello", "there", "how", "are", "you", "today", "look", "what", "a", "day", "it", "was"]
SIDE = 64


def known_answer(rounds=6, seed=0):
    """Return examples with `rounds` talks a concept; photo i of the gallery shows concept i."""
    source = np.random.default_rng(seed)

    def talk(concept):
        words = [*source.choice(NOISE, 4), f"talk{chr(97 + concept)}", *source.choice(NOISE, 4)]
        return (
            Utterance(1, " ".join(source.choice(NOISE, 3))),
            Utterance(0, " ".join(words)),
            Utterance(1, " ".join(source.choice(NOISE, 3))),
        )

    photos = tuple(
        GalleryPhoto(f"train/{i}", f"train/{i}", (f"Thing{chr(97 + i)}", "Photo"))
        for i in range(CONCEPTS)
    )
    queries = tuple(
        Query(1000 * seed + n, talk(n % CONCEPTS), 0, n % CONCEPTS)
        for n in range(rounds * CONCEPTS)
    )
    return RetrievalExamples(photos, queries)


def square(concept):
    """Return the picture of a concept, (3, SIDE, SIDE) bytes: one colour."""
    levels = np.array([120 * (concept // 3**k % 3) for k in range(3)], np.uint8)
    return np.broadcast_to(levels[:, None, None], (3, SIDE, SIDE))


class Squares:
    """The pictures of `known_answer`, but of the photos named in `without`."""

    def __init__(self, without=()):
        self.without = set(without)

    def has(self, photo):
        return photo.key not in self.without

    def pixels(self, photos):
        return torch.from_numpy(np.stack([square(int(p.key.partition("/")[2])) for p in photos]))
