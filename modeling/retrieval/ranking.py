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
from modeling.retrieval.matcher import Pictures
from modeling.retrieval.ranks import NONE, best_photos, ranks_in_block, ranks_of
from modeling.retrieval.regions import open_pictures
from modeling.retrieval.runs import RunFile
from modeling.retrieval.train import load_run
from modeling.training.device import open_accelerator
from modeling.training.settings import Device

TOP = 5  # photos kept of each query: Figures 5 and 6 show so many


class Ranked(msgspec.Struct, frozen=True):
    """Ranks of the right photo and of all with its labels; the best photos with their scores."""

    ranks: Ranks
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
) -> Ranked:
    """Rank the gallery for each query by the kept model; memory does not grow with the product."""
    encoder = Encoder(
        load_run(folder, pictures), open_accelerator(device, run.settings.training.precision)
    )
    gallery = encoder.photos(examples.photos)
    available = None
    if pictures is not None:
        available = torch.tensor([pictures.has(photo) for photo in examples.photos])
    gold = torch.tensor([query.photo for query in examples.queries], dtype=torch.long)
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

    ranks = ranks_of(scores, gold, len(examples.photos), available=available)
    return Ranked(ranks, np.concatenate(ranks_alike), places, values)


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
