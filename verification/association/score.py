"""How probable it is that a talk belongs to a photo, as one calibrated number.

Features are computed for one talk and many photos at a time; a logistic regression fitted on the
dev split (verification/learn/) turns them into a probability: of two photos, the talk's own and
another one drawn by chance, that this is the talk's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from photochat.description import Description
from verification.association.affinity import hints, strength
from verification.association.kinds import LEARNED

Numbers = npt.NDArray[np.float64]
Vectors = npt.NDArray[np.float32]
Encode = Callable[[Sequence[str]], Vectors]
Kind = Literal["words", "models"]

PLAIN = ("hints, mean over labels", "hints, best label", "share of labels hinted at")
PERSONA = ("has a persona", "relationship said", "name said")
NEAR = ("whole talk", "best turn", "best turn, mean over labels", "learned", "prior")


class Weights(msgspec.Struct, frozen=True):
    """A logistic regression over features that are first centred and scaled."""

    features: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weight: tuple[float, ...]
    bias: float

    def logit(self, features: Numbers) -> Numbers:
        """Return log odds, shape (photos,), for features of shape (photos, features)."""
        scaled = (features - np.array(self.mean)) / np.array(self.scale)
        logit: Numbers = scaled @ np.array(self.weight) + self.bias
        return logit


def probability(logit: float) -> float:
    """Turn log odds into a probability."""
    return float(1 / (1 + np.exp(-np.clip(logit, -30, 30))))


@lru_cache(maxsize=1)
def weights() -> dict[str, Weights]:
    """Return the fitted weights: "words" and "models", each also "+persona"."""
    text = (LEARNED / "weights.json").read_bytes()
    return msgspec.json.decode(text, type=dict[str, Weights])


class Learned(msgspec.Struct, frozen=True):
    """The bilinear map between talks and labels that was learned on the dev split."""

    talk: Vectors  # (2 d, r): the whole talk and the mean of its turns
    photo: Vectors  # (2 d, r): the labels as one text and the mean of the labels
    prior: Vectors  # (2 d,)


@lru_cache(maxsize=1)
def learned() -> Learned:
    """Read the bilinear map."""
    with np.load(str(LEARNED / "sentences.npz")) as packed:
        return Learned(*(packed[key].astype(np.float32) for key in ("talk", "photo", "prior")))


def word_features(words: Iterable[str], photos: Sequence[Sequence[str]]) -> Numbers:
    """Return `PLAIN` for each photo (its labels), shape (photos, 3)."""
    labels = {label for photo in photos for label in photo}
    strengths = {label: strength(found) for label, found in hints(words, labels).items()}
    rows = []
    for photo in photos:
        values = [strengths[label] for label in photo] or [0.0]
        hinted = sum(value > 0 for value in values) / len(values)
        rows.append((sum(values) / len(values), max(values), hinted))
    return np.array(rows)


def persona_features(words: Iterable[str], photos: Sequence[Description]) -> Numbers:
    """Return `PERSONA` for each photo: is somebody named on it, and was that person spoken of."""
    said = set(words)
    said |= {word.removesuffix("'s") for word in said}
    rows = []
    for photo in photos:
        who = photo.persona
        if who is None:
            rows.append((0.0, 0.0, 0.0))
            continue
        relationship = who.relationship.lower().replace("'s", " ").split()
        of_whom = bool(relationship) and relationship[-1] in said  # it may be blank
        rows.append((1.0, float(of_whom), float(who.name.lower() in said)))
    return np.array(rows)


def sentence_features(
    turns: Sequence[str], photos: Sequence[Sequence[str]], encode: Encode, bilinear: Learned
) -> Numbers:
    """Return `NEAR` for each photo, shape (photos, 5): cosines, and the learned map."""
    turns = [turn for turn in turns if turn.strip()]
    if not turns:
        return np.zeros((len(photos), len(NEAR)))
    names = sorted({label for photo in photos for label in photo} | {""})
    place = {name: number for number, name in enumerate(names)}
    of_turns, of_labels = encode(turns), encode(names)
    whole = encode([" ".join(turns)])[0]
    of_photos = encode([", ".join(photo) for photo in photos])
    best_of_label = (of_turns @ of_labels.T).max(0)
    members = [[place[label] for label in photo or ("",)] for photo in photos]
    mean_label = np.stack([of_labels[member].mean(0) for member in members])
    talk = np.concatenate([whole, 1.5 * of_turns.mean(0)]) @ bilinear.talk
    photo = np.concatenate([of_photos, mean_label], axis=1)
    return np.column_stack(
        [
            of_photos @ whole,
            (of_turns @ of_photos.T).max(0),
            [best_of_label[member].mean() for member in members],
            (photo @ bilinear.photo) @ talk,
            photo @ bilinear.prior,
        ]
    ).astype(np.float64)


def logits(
    words: Sequence[str],
    turns: Sequence[str],
    photos: Sequence[Description],
    *,
    persona: bool,
    encode: Encode | None = None,
) -> Numbers:
    """Return the log odds of each photo for one talk, shape (photos,).

    `words` are the talk's in lower case, `turns` its messages. Without `encode`, words alone
    decide. `persona` lets the name and relationship of the person on the photo count.
    """
    labels = [photo.objects for photo in photos]
    parts = [word_features(words, labels)]
    if encode is not None:
        parts.append(sentence_features(turns, labels, encode, learned()))
    if persona:
        parts.append(persona_features(words, photos))
    kind = ("words" if encode is None else "models") + ("+persona" if persona else "")
    return weights()[kind].logit(np.concatenate(parts, axis=1))
