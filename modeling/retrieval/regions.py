"""Regions of photos that a detector described beforehand: one file of vectors a photo.

`DIR/<photo_id>.npy` holds an array (regions, width), or `.npz` one under any name; a photo without
id is found by the last part of its URL. All photos have equally many regions.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from modeling.retrieval.examples import GalleryPhoto
from modeling.retrieval.matcher import Pictures
from modeling.retrieval.photos import name_in, open_photos
from modeling.retrieval.settings import PictureFormat, RegionFormat
from photochat.errors import DataError
from photochat.images import image_path

SUFFIXES = (".npy", ".npz")


class RegionFolder:
    """The regions of photos, read when they are asked for."""

    def __init__(self, photos: Sequence[GalleryPhoto], folder: Path) -> None:
        if not folder.is_dir():
            raise DataError("no such folder of region files", file=folder)
        found = {photo.key: _file(photo, folder) for photo in photos}
        self._files = {key: file for key, file in found.items() if file is not None}
        self.problems = {key: "no file of regions" for key, file in found.items() if file is None}
        self.shape = (0, 0)
        for file in self._files.values():
            self.shape = _read(file).shape
            break

    def has(self, photo: GalleryPhoto) -> bool:
        """Tell whether there is a file of the photo's regions."""
        return photo.key in self._files

    def pixels(self, photos: Sequence[GalleryPhoto]) -> Tensor:
        """Return the regions (photos, regions, width); zeros where there is no file.

        Raises:
            DataError: a file is damaged, or has another shape than the first.
        """
        rows = np.zeros((len(photos), *self.shape), dtype=np.float32)
        for row, photo in zip(rows, photos, strict=True):
            file = self._files.get(photo.key)
            if file is None:
                continue
            read = _read(file)
            if read.shape != self.shape:
                raise DataError(
                    f"holds {read.shape[0]} regions of width {read.shape[1]} where others hold "
                    f"{self.shape[0]} of width {self.shape[1]}",
                    file=file,
                )
            row[:] = read
        return torch.from_numpy(rows)


def open_pictures(
    photos: Sequence[GalleryPhoto], images: Path | None, wanted: PictureFormat | RegionFormat | None
) -> Pictures | None:
    """Return what a model looks at, by its settings' `pictures`; None where it does not look.

    Raises:
        DataError: it does look, and `images` is not named or is no such folder.
    """
    if wanted is None:
        return None
    if images is None:
        raise DataError("this model looks at pictures: name their folder with --images")
    if isinstance(wanted, RegionFormat):
        return RegionFolder(photos, images)
    return open_photos(photos, images, side=wanted.side, fit=wanted.fit)


def _file(photo: GalleryPhoto, folder: Path) -> Path | None:
    if photo.photo_id is not None:
        stems = [image_path(folder, photo.photo_id).with_suffix("")]
    else:
        name = name_in(photo.key)
        stems = [folder / PurePosixPath(name).stem] if name else []
    files = [stem.parent / f"{stem.name}{suffix}" for stem in stems for suffix in SUFFIXES]
    return next((file for file in files if file.is_file()), None)


def _read(file: Path) -> NDArray[np.float32]:
    try:
        loaded = np.load(file, allow_pickle=False)
        table = loaded[loaded.files[0]] if file.suffix == ".npz" else loaded
        regions = np.asarray(table, dtype=np.float32)
    except (OSError, ValueError, IndexError, EOFError, KeyError) as error:
        raise DataError(f"is no array of regions ({error})", file=file) from error
    if regions.ndim != 2 or not regions.size:
        raise DataError(f"is no array of (regions, width) but of {regions.shape}", file=file)
    return regions
