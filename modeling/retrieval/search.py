"""The best photos of a gallery for a text or a dialogue, by the kept model of a run.

The gallery is a folder of pictures, or the photos of a release. Its vectors are kept in the run,
so that a second search encodes the question alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import msgspec
import numpy as np

from modeling.retrieval.encoding import Encoder
from modeling.retrieval.examples import GalleryPhoto, Query, retrieval_examples
from modeling.retrieval.features import (
    VECTOR,
    Vectors,
    as_representations,
    model_hash,
    photo_vectors,
    vector_of,
)
from modeling.retrieval.gallery import write_sheet
from modeling.retrieval.matcher import Representations
from modeling.retrieval.photos import PhotoStore, pictures_in
from modeling.retrieval.ranks import best_photos
from modeling.retrieval.regions import open_pictures
from modeling.retrieval.runs import RunFile, finished
from modeling.retrieval.settings import RegionFormat
from modeling.retrieval.train import load_run
from modeling.retrieval.vector_index import LARGE, FaissIndex, Index
from modeling.runs import MODEL
from modeling.training.device import open_accelerator
from modeling.training.settings import Device
from photochat.dialogue import Utterance, merge_turns
from photochat.errors import DataError
from photochat.records import SUFFIXES, read_records
from photochat.release import Release

VECTORS = "vectors"  # folder of the run
TOP = 10


class Hit(msgspec.Struct, frozen=True):
    """A photo found: its id, path in the folder of pictures or URL, its score and labels."""

    photo: str
    score: float
    labels: tuple[str, ...]


class Found(msgspec.Struct, frozen=True):
    """The best photos for a query, best first."""

    dialogue_id: int
    hits: list[Hit]


class Answer(msgspec.Struct, frozen=True):
    """What a search found in a gallery of so many photos; `problems` says why others have none."""

    photos: int
    found: list[Found]
    problems: dict[str, str]


def search(
    folder: Path,
    queries: Sequence[Query],
    *,
    images: Path | None = None,
    release: Release | None = None,
    top: int = TOP,
    index: Index = "exact",
    sheet: Path | None = None,
    device: Device = "auto",
) -> Answer:
    """Find the `top` best photos for each query, and write them to the page `sheet`.

    The gallery is what `images` holds, or with `release` the photos of all its splits, whose labels
    are known too. Photos whose picture cannot be had are left out.

    Raises:
        DataError: no finished run; no gallery, or one smaller than `top`; FAISS is not installed,
            or does not fit the model; a file cannot be written.
    """
    run, _ = finished(folder)
    gallery = _gallery(run, images, release)
    pictures = _pictures(run, gallery, images)
    photos = [photo for photo in gallery if pictures is None or pictures.has(photo)]
    if top > len(photos):
        raise DataError(f"there are {len(photos)} photos in the gallery: ask for fewer than {top}")
    accelerator = open_accelerator(device, run.settings.training.precision)
    encoder = Encoder(load_run(folder, pictures), accelerator)
    vectors = photo_vectors(
        photos,
        encoder.photos,
        model=model_hash(folder / MODEL, run.settings),
        cache=folder / VECTORS,
        contents=pictures.contents if pictures else None,
    )
    if index == "faiss":
        scores, places = _by_faiss(encoder, queries, photos, vectors, top, folder)
    else:
        seen = (
            encoder.photos(photos)
            if vectors is None
            else as_representations(vectors, accelerator.device)
        )
        best = best_photos(encoder.scores(queries, seen), top)
        scores, places = best[0].tolist(), best[1].tolist()
    if sheet is not None:
        rows = [
            [(photos[i], score) for i, score in zip(row, own, strict=True)]
            for row, own in zip(places, scores, strict=True)
        ]
        write_sheet(sheet, f"The best of {len(photos):,} photos", queries, rows, images)
    return Answer(
        len(photos),
        [
            Found(
                query.dialogue_id,
                [
                    Hit(photos[i].key, score, photos[i].labels)
                    for i, score in zip(row, own, strict=True)
                ],
            )
            for query, row, own in zip(queries, places, scores, strict=True)
        ],
        dict(pictures.problems) if pictures else {},
    )


def queries_of(asked: str) -> list[Query]:
    """Return what is asked: a text, or the dialogues of a file up to their photo.

    In a dialogue that shares no photo, whoever spoke last is taken for the one who will.

    Raises:
        DataError: nothing is asked, or the file cannot be read or says nothing before a photo.
    """
    if not asked.endswith(SUFFIXES):
        if not asked.strip():
            raise DataError("there is nothing to search for: the text is empty")
        return [Query(0, (Utterance(0, asked.strip()),), 0, -1)]
    queries = []
    for dialogue in read_records(asked):
        turns = merge_turns(dialogue.before_share)
        if not any(turn.text.strip() for turn in turns):
            raise DataError(
                "says nothing before its photo", file=asked, record=f"id {dialogue.dialogue_id}"
            )
        sharer = dialogue.sharer
        queries.append(
            Query(dialogue.dialogue_id, turns, turns[-1].user_id if sharer is None else sharer, -1)
        )
    if not queries:
        raise DataError("holds no dialogue", file=asked)
    return queries


def _gallery(
    run: RunFile, images: Path | None, release: Release | None
) -> tuple[GalleryPhoto, ...]:
    if release is not None:
        dialogues = [d for part in release.splits.values() for d in part]
        photos = retrieval_examples(dialogues).photos
        if not photos:
            raise DataError("names no photo", file=release.files[0].path.parent)
        return photos
    if run.settings.model.pictures is None:
        raise DataError("this model reads labels: name a release that has them with --data")
    if images is None:
        raise DataError("name the photos to search: --images DIR, or --data DIR for a release's")
    return tuple(GalleryPhoto(path, None) for path in pictures_in(images))


def _pictures(
    run: RunFile, gallery: Sequence[GalleryPhoto], images: Path | None
) -> PhotoStore | None:
    if isinstance(run.settings.model.pictures, RegionFormat):
        raise DataError("this model looks at regions in files: search with another run")
    opened = open_pictures(gallery, images, run.settings.model.pictures)
    return cast("PhotoStore | None", opened)


def _by_faiss(
    encoder: Encoder,
    queries: Sequence[Query],
    photos: Sequence[GalleryPhoto],
    vectors: Vectors | None,
    top: int,
    folder: Path,
) -> tuple[list[list[float]], list[list[int]]]:
    seen = encoder.queries(queries)
    asked = vector_of(seen)
    if vectors is None or asked is None or not _is_product(encoder, seen, asked, vectors[:64]):
        raise DataError("this model compares more than one vector a photo: use --index exact")
    best = _faiss_index(vectors, photos, folder / VECTORS).best(asked, top)
    return best.scores.tolist(), best.places.tolist()


def _is_product(encoder: Encoder, seen: Representations, asked: Vectors, vectors: Vectors) -> bool:
    """Tell whether the model's scores are products of vectors, as FAISS's are, by some of them."""
    photos = as_representations(vectors, seen[VECTOR].device)
    scores = encoder.matcher.scores({VECTOR: seen[VECTOR].float()}, photos)
    return bool(np.allclose(scores.detach().cpu().numpy(), asked @ vectors.T, atol=1e-4))


def _faiss_index(vectors: Vectors, photos: Sequence[GalleryPhoto], folder: Path) -> FaissIndex:
    """Return an index; that of a large gallery is kept, since to make it takes a while."""
    if len(vectors) <= LARGE:
        return FaissIndex(vectors)
    name = hashlib.sha256(vectors.tobytes()).hexdigest()[:16]
    file = folder / f"{name}.faiss"
    if file.exists():
        return FaissIndex.read(file)
    made = FaissIndex(vectors)
    made.write(file)
    return made
