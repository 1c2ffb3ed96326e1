"""Fits the association score on the dev split: first the map between talk and labels, then weights.

The map is learned so that each talk is nearer to its own photo than to the other photos of its
batch (the contrastive loss of section 6.2), and stopped early: on one half of dev the area under
the curve of the other half was best after about ten passes. The weights are a logistic regression
on own photos against photos of other dialogues, one for one, which is what makes the score a
probability. Its features of the map are cross-fitted (each half by the map of the other half),
else the map would look better than it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from photochat.atomic import atomic_file
from photochat.description import Description
from photochat.dialogue import Dialogue
from verification.association.score import (
    NEAR,
    PERSONA,
    PLAIN,
    Encode,
    Learned,
    Numbers,
    Weights,
    persona_features,
    sentence_features,
    word_features,
)
from verification.learn.affinity import save
from verification.talk import Talk

RANK = 32
PASSES = 10
BATCH = 250
LEARNING_RATE = 2e-3
DROPOUT = 0.3
OTHERS = 40  # other photos drawn for each dialogue when the weights are fitted
RIDGE = 1e-3
SEED = 0


class Example(NamedTuple):
    """One dialogue before its share."""

    words: list[str]
    turns: list[str]
    photo: Description


def examples(dialogues: Sequence[Dialogue]) -> list[Example]:
    """Take the dialogues that share a photo with labels after saying something."""
    found = []
    for dialogue in dialogues:
        talk, photo = Talk(dialogue), dialogue.description
        if dialogue.share_index and photo and photo.objects:
            turns = [talk.messages[index] for index in talk.before]
            words = [word for index in talk.before for word in talk.lower[index]]
            found.append(Example(words, turns, photo))
    return found


def fit_map(some: Sequence[Example], encode: Encode) -> Learned:
    """Learn the bilinear map from talks to labels."""
    import torch
    from torch.nn import functional

    torch.manual_seed(SEED)
    torch.set_num_threads(1)  # the same sums in the same order wherever it is run
    whole = encode([" ".join(example.turns) for example in some])
    of_turns = [encode([turn for turn in example.turns if turn.strip()]) for example in some]
    talk = np.concatenate([whole, 1.5 * np.stack([rows.mean(0) for rows in of_turns])], axis=1)
    of_photo = encode([", ".join(example.photo.objects) for example in some])
    of_label = np.stack([encode(example.photo.objects).mean(0) for example in some])
    photo = np.concatenate([of_photo, of_label], axis=1)
    best = np.stack([(rows @ of_photo.T).max(0) for rows in of_turns])
    plain = torch.tensor(np.stack([whole @ of_photo.T, best], axis=-1))
    x, y = torch.tensor(talk), torch.tensor(photo)
    labels = [frozenset(example.photo.objects) for example in some]
    same = torch.tensor([[a == b for b in labels] for a in labels])
    same &= ~torch.eye(len(some), dtype=torch.bool)

    to_talk = (torch.randn(x.shape[1], RANK) * 0.02).requires_grad_()
    to_photo = (torch.randn(y.shape[1], RANK) * 0.05).requires_grad_()
    prior = torch.zeros(y.shape[1], requires_grad=True)
    mix = torch.tensor([10.0, 5.0]).requires_grad_()
    optimizer = torch.optim.AdamW([
        {"params": [to_talk, to_photo, prior], "lr": LEARNING_RATE, "weight_decay": 1e-3},
        {"params": [mix], "lr": 0.01, "weight_decay": 0.0},
    ])  # fmt: skip
    for _ in range(PASSES):
        for batch in torch.split(torch.randperm(len(some)), BATCH):
            talks = functional.dropout(x[batch], DROPOUT) @ to_talk
            photos = functional.dropout(y[batch], DROPOUT)
            score = 10 * talks @ (photos @ to_photo).T + plain[batch][:, batch] @ mix
            score = (score + photos @ prior).masked_fill(same[batch][:, batch], -1e4)
            own = torch.arange(len(batch))
            loss = functional.cross_entropy(score, own) + functional.cross_entropy(score.T, own) / 2
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    half = [part.detach().numpy().astype(np.float16) for part in (to_talk, to_photo, prior)]
    return Learned(*(part.astype(np.float32) for part in half))


def fit_weights(names: tuple[str, ...], features: Numbers, own: npt.NDArray[np.bool_]) -> Weights:
    """Fit a logistic regression by Newton's method, both classes counting the same in sum."""
    mean, scale = features.mean(0), features.std(0) + 1e-9
    x = np.column_stack([(features - mean) / scale, np.ones(len(features))])
    count = np.where(own, 0.5 / own.sum(), 0.5 / (~own).sum())
    w = np.zeros(x.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-(x @ w)))
        gradient = x.T @ (count * (p - own)) + RIDGE * w
        curvature = (x * (count * p * (1 - p))[:, None]).T @ x + RIDGE * np.eye(len(w))
        step = np.linalg.solve(curvature, gradient)
        w -= step
        if np.abs(step).max() < 1e-9:
            break
    rounded = [tuple(round(float(v), 6) for v in part) for part in (mean, scale, w[:-1])]
    return Weights(names, rounded[0], rounded[1], rounded[2], round(float(w[-1]), 6))


def fit(dialogues: Sequence[Dialogue], encode: Encode, out: Path) -> None:
    """Write `sentences.npz` and `weights.json`."""
    some = examples(dialogues)
    halves = (some[::2], some[1::2])
    maps = [fit_map(half, encode) for half in halves]
    draw = np.random.default_rng(SEED)
    rows: dict[str, list[Numbers]] = {"plain": [], "near": [], "persona": []}
    owns: list[npt.NDArray[np.bool_]] = []
    for number, example in enumerate(some):
        others = draw.choice(len(some), OTHERS, replace=False)
        photos = [example.photo]
        drawn = [some[index].photo for index in others]
        photos += [photo for photo in drawn if photo.objects != example.photo.objects]
        labels = [photo.objects for photo in photos]
        rows["plain"].append(word_features(example.words, labels))
        rows["near"].append(sentence_features(example.turns, labels, encode, maps[1 - number % 2]))
        rows["persona"].append(persona_features(example.words, photos))
        owns.append(np.arange(len(photos)) == 0)
    own = np.concatenate(owns)
    x: dict[str, Any] = {name: np.concatenate(part) for name, part in rows.items()}
    fitted = {
        kind: fit_weights(names, np.concatenate([x[part] for part in parts], axis=1), own)
        for kind, names, parts in (
            ("words", PLAIN, ["plain"]),
            ("words+persona", PLAIN + PERSONA, ["plain", "persona"]),
            ("models", PLAIN + NEAR, ["plain", "near"]),
            ("models+persona", PLAIN + NEAR + PERSONA, ["plain", "near", "persona"]),
        )
    }
    whole = fit_map(some, encode)
    parts = {key: getattr(whole, key).astype(np.float16) for key in ("talk", "photo", "prior")}
    save(out / "sentences.npz", **parts)
    with atomic_file(out / "weights.json") as part:
        part.write_bytes(msgspec.json.format(msgspec.json.encode(fitted), indent=1))
