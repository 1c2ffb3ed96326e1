"""A gallery ranked for every query by the kept model of a run, in one pass."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import torch
from torch import Tensor

from modeling.metrics import Ranks
from modeling.retrieval.encoding import Encoder
from modeling.retrieval.examples import RetrievalExamples
from modeling.retrieval.identities import right_photos
from modeling.retrieval.matcher import Pictures
from modeling.retrieval.metrics import first_ranks
from modeling.retrieval.ranks import NONE, best_photos, ranks_in_block, ranks_of
from modeling.retrieval.regions import open_pictures
from modeling.retrieval.runs import RunFile
from modeling.retrieval.settings import ScoreBy
from modeling.retrieval.train import load_run
from modeling.training.device import open_accelerator
from modeling.training.settings import Device

TOP = 5  # photos kept of each query: Figures 5 and 6 show so many


class Ranked(msgspec.Struct, frozen=True):
    """Ranks of the right photo and of all with its labels; the best photos with their scores.

    Where several photos are right, `ranks` are of the best and `ranks_right` of all of them.
    """

    ranks: Ranks
    ranks_right: Ranks
    ranks_same_labels: Ranks
    best: list[list[int]]
    scores: list[list[float]]


def pictures_of(run: RunFile, examples: RetrievalExamples, images: Path | None) -> Pictures | None:
    """Return the pictures of the gallery where the run's model looks at them.

    Raises:
        DataError: it does, and `images` is not named or holds none of them.
    """
    return open_pictures(examples.photos, images, run.settings.model.pictures)


def rank_examples(
    run: RunFile,
    folder: Path,
    examples: RetrievalExamples,
    pictures: Pictures | None,
    device: Device = "auto",
    score: ScoreBy | None = None,
) -> Ranked:
    """Rank the gallery for each query by the kept model; memory does not grow with the product."""
    encoder = Encoder(
        load_run(folder, pictures, score), open_accelerator(device, run.settings.training.precision)
    )
    gallery = encoder.photos(examples.photos)
    available = None
    if pictures is not None:
        available = torch.tensor([pictures.has(photo) for photo in examples.photos])
    alike = same_labels(examples)
    ranks_alike: list[Ranks] = []
    places: list[list[int]] = []
    values: list[list[float]] = []

    def scores(part: slice) -> Tensor:
        block = encoder.scores(examples.queries[part], gallery)
        best = best_photos(block, TOP, available)
        values.extend(best[0].tolist())
        places.extend(best[1].tolist())
        ranks_alike.append(ranks_in_block(block, alike[part], available))
        return block

    right = right_photos(examples)
    ranks = ranks_of(scores, right, len(examples.photos), available=available)
    return Ranked(first_ranks(ranks), ranks, np.concatenate(ranks_alike), places, values)


def same_labels(examples: RetrievalExamples) -> Tensor:
    """Return, for each query, the photos with just the right photo's labels, it first.

    Shape (queries, m), filled up with `NONE`. Photos without labels are like no other.
    """
    alike: dict[frozenset[str], list[int]] = {}
    for i, photo in enumerate(examples.photos):
        if photo.labels:
            alike.setdefault(frozenset(photo.labels), []).append(i)
    rows = []
    for query in examples.queries:
        others = alike.get(frozenset(examples.photos[query.photo].labels), [])
        rows.append([query.photo, *(i for i in others if i != query.photo)])
    table = torch.full((len(rows), max(map(len, rows), default=1)), NONE)
    for row, places in enumerate(rows):
        table[row, : len(places)] = torch.tensor(places)
    return table
