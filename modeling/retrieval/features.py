"""Vectors that a frozen model makes of photos, kept by what the photos are and by the model.

A photo's vector depends on its picture's bytes, its labels and the model's files: the key is all of
them, so neither another gallery nor a model trained on gets a vector that is not its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from modeling.retrieval.examples import GalleryPhoto
from modeling.retrieval.matcher import Representations
from modeling.retrieval.row_cache import RowCache

VECTOR = "vector"  # what models with one vector an item call it
_AT_ONCE = 1024  # photos between two entries into the journal

Vectors = NDArray[np.float32]
Encode = Callable[[Sequence[GalleryPhoto]], Representations]


def model_hash(folder: Path, *settings: object) -> str:
    """Return a hash of all files of a model's folder, and of the settings it is used with."""
    found = hashlib.sha256(msgspec.json.encode(settings))
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        found.update(str(file.relative_to(folder)).encode())
        with file.open("rb") as source:
            while part := source.read(2**20):
                found.update(part)
    return found.hexdigest()[:16]


def photo_vectors(
    photos: Sequence[GalleryPhoto],
    encode: Encode,
    *,
    model: str,
    cache: Path,
    contents: dict[str, str] | None = None,
) -> Vectors | None:
    """Return the vectors of photos, (photos, width); None of a model that has not just one each.

    `encode` makes representations, of those photos alone that are not in the folder `cache`.
    `model` is the model's hash, `contents` the hash of each picture by photo key (none: not seen).

    Raises:
        DataError: the cache cannot be written.
    """
    if not photos:
        return None
    keys = [_key(photo, (contents or {}).get(photo.key, "")) for photo in photos]
    first = vector_of(encode(photos[:1]))
    if first is None:
        return None
    kept = RowCache(cache / model, (first.shape[1],), np.float32)
    if any(key not in kept for key in keys):
        with kept.locked():
            new = {key: photo for key, photo in zip(keys, photos, strict=True) if key not in kept}
            names, made = list(new), list(new.values())
            for start in range(0, len(names), _AT_ONCE):
                part = slice(start, start + _AT_ONCE)
                vectors = vector_of(encode(made[part]))
                assert vectors is not None
                kept.add(names[part], vectors)
    rows = [kept.row_of(key) for key in keys]
    return np.asarray(kept.array()[rows], dtype=np.float32)


def vector_of(representations: Representations) -> Vectors | None:
    """Return the vectors where an item is one vector and nothing else."""
    if set(representations) != {VECTOR} or representations[VECTOR].ndim != 2:
        return None
    return representations[VECTOR].float().cpu().numpy()


def as_representations(vectors: Vectors, device: torch.device) -> dict[str, Tensor]:
    """Return vectors as a model's scores take them."""
    return {VECTOR: torch.from_numpy(vectors).to(device)}


def _key(photo: GalleryPhoto, content: str) -> str:
    seen = msgspec.json.encode((content, photo.labels, photo.persona))
    return hashlib.blake2b(seen, digest_size=20).hexdigest()
