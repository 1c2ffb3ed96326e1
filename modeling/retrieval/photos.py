"""The pictures of a gallery, decoded once: upright 8-bit RGB squares in a file mapped into memory.

A picture is found by its photo's id, `DIR/<photo_id>.jpg`. Half of the published dialogues name no
id, only a URL: theirs is the one file under DIR, at whatever depth, that is named as the URL ends.
Squares are kept by the content of the file they come from, so a second run, another split or a
picture that was added or replaced costs what is new. What cannot be had is listed with the reason:
such a photo stays in the gallery and ranks last.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import NamedTuple, Protocol
from urllib.parse import unquote, urlsplit

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from rich.console import Console
from rich.progress import Progress
from torch import Tensor

from modeling.retrieval.row_cache import RowCache
from modeling.retrieval.settings import PICTURE_SIDE, Fit
from photochat.errors import DataError
from photochat.images import as_rgb, image_path, open_picture

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
CACHE = ".photo-cache"  # beside the folder of pictures

GREY = 127  # what stands for a missing picture
_BATCH = 256  # pictures between two entries into the journal
_LARGE = 20_000_000  # pixels; pictures beyond that are decoded one at a time, to bound memory

Squares = NDArray[np.uint8]


class Pictured(Protocol):
    """A photo by its key and, where it has one, its id."""

    @property
    def key(self) -> str:
        """What makes two photos the same: an id or a URL."""

    @property
    def photo_id(self) -> str | None:
        """The id that names its picture."""


class PhotoStore:
    """Squares of the photos of a gallery: a `modeling.retrieval.matcher.Pictures`.

    By photo key, `problems` says why there is no square, `contents` has the hash of what a square
    was made from.
    """

    def __init__(
        self,
        squares: Squares,
        row_of: Mapping[str, int],
        problems: dict[str, str],
        contents: dict[str, str],
    ) -> None:
        self._squares = squares
        self._row_of = row_of
        self.problems = problems
        self.contents = contents

    @property
    def side(self) -> int:
        """Pixels a side."""
        return int(self._squares.shape[1])

    def has(self, photo: Pictured) -> bool:
        """Tell whether the photo has a picture."""
        return photo.key in self._row_of

    def available(self, photos: Sequence[Pictured]) -> NDArray[np.bool_]:
        """Tell which photos have a picture, (photos,)."""
        return np.array([self.has(photo) for photo in photos], dtype=np.bool_)

    def pixels(self, photos: Sequence[Pictured]) -> Tensor:
        """Return a copy of the squares, (photos, 3, side, side), bytes; grey where there is none.

        In memory the channels of a pixel lie together.
        """
        rows = np.array([self._row_of.get(photo.key, -1) for photo in photos], dtype=np.int64)
        out = np.full((len(rows), *self._squares.shape[1:]), GREY, np.uint8)
        there = rows >= 0
        out[there] = self._squares[rows[there]]
        return torch.from_numpy(out).permute(0, 3, 1, 2)


class Found(NamedTuple):
    """The file of each photo; None where `problems` says, by place, why it can have none."""

    files: list[Path | None]
    problems: dict[int, str]


def open_photos(
    photos: Sequence[Pictured],
    images: Path,
    *,
    side: int = PICTURE_SIDE,
    fit: Fit = "squash",
    cache: Path | None = None,
    progress: bool = True,
) -> PhotoStore:
    """Return the squares of `photos`; those not in the cache are decoded first, in parallel.

    The cache is a folder beside `images` unless given. An interrupted call goes on where it was.

    Raises:
        DataError: `images` is no folder, or none of the pictures is there; no cache can be written.
    """
    if not images.is_dir():
        raise DataError("is no folder of pictures", file=images)
    found = picture_files(photos, images)
    folder = cache or default_cache(images)
    kept = RowCache(folder / f"squares-{fit}-{side}", (side, side, 3), np.uint8)
    known = RowCache(folder / "contents", (32,), np.uint8)
    contents = _contents(found, known)
    first = {content: i for i, content in reversed(list(enumerate(contents))) if content}
    if any(content not in kept for content in first):
        with kept.locked():
            new = [(c, found.files[i]) for c, i in first.items() if c not in kept]
            _decode_all([(c, file) for c, file in new if file], kept, side, fit, progress)
    problems = {photos[i].key: text for i, text in found.problems.items()}
    for photo, content in zip(photos, contents, strict=True):
        if content and (text := kept.problem_of(content)):
            problems[photo.key] = text
    row_of = {
        photo.key: row
        for photo, content in zip(photos, contents, strict=True)
        if (row := kept.row_of(content)) >= 0
    }
    if problems and not row_of:
        one = next(iter(problems.items()))
        raise DataError(
            f"holds none of the {len(photos)} pictures; the first, {one[0]}: {one[1]}", file=images
        )
    squares: Squares = kept.array()  # type: ignore[assignment]
    made = {p.key: c for p, c in zip(photos, contents, strict=True) if p.key in row_of}
    return PhotoStore(squares, row_of, problems, made)


def default_cache(images: Path) -> Path:
    """Return the folder beside `images`, or the user's own where nothing can be written there."""
    beside = images.resolve().parent
    if os.access(beside, os.W_OK):
        return beside / CACHE
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "photochat" / CACHE


def square(picture: Image.Image, side: int = PICTURE_SIDE, fit: Fit = "squash") -> Image.Image:
    """Return a decoded picture upright, in RGB, as a square of `side` pixels.

    "squash" brings both sides to it, as section 6.2 does; "crop" the shorter one and then takes the
    middle, as CLIP and torchvision do.
    """
    upright = as_rgb(ImageOps.exif_transpose(picture))
    if fit == "squash":
        return upright.resize((side, side), Image.Resampling.BICUBIC)
    width, height = upright.size
    short = min(width, height)  # sides and margins are rounded as torchvision rounds them
    wide, high = side * width // short, side * height // short
    left, top = round((wide - side) / 2), round((high - side) / 2)
    # Only what stays is computed: the middle of the resized picture, as a box in the original.
    x, y = width / wide, height / high
    box = (left * x, top * y, (left + side) * x, (top + side) * y)
    return upright.resize((side, side), Image.Resampling.BICUBIC, box=box)


def load_square(file: Path, side: int = PICTURE_SIDE, fit: Fit = "squash") -> Squares:
    """Decode one file into a square, (side, side, 3).

    Raises:
        DataError: it is missing, damaged, or no photo.
    """
    picture = open_picture(file)
    try:
        return np.asarray(square(picture, side, fit))
    except Exception as error:  # Pillow reports damage by exceptions of many kinds, EXIF's too
        raise DataError(f"a damaged picture ({error})", file=file) from error


def picture_files(photos: Sequence[Pictured], images: Path) -> Found:
    """Name the file of each photo, whether it is there or not, or say why it can have none."""
    lying = _Lying(images)
    files: list[Path | None] = []
    problems: dict[int, str] = {}
    for i, photo in enumerate(photos):
        file: Path | None = None
        try:
            if photo.photo_id is not None:
                file = image_path(images, photo.photo_id)
            else:
                file = lying.file_of(photo.key)
        except DataError as error:
            problems[i] = error.problem
        files.append(file)
    return Found(files, problems)


def pictures_in(images: Path) -> list[str]:
    """Return the pictures under a folder as paths within it, sorted; these are keys of photos.

    Raises:
        DataError: there is none, or no folder.
    """
    if not images.is_dir():
        raise DataError("is no folder of pictures", file=images)
    found = sorted(p for p in _Lying(images).by_path if p.lower().endswith(SUFFIXES))
    if not found:
        raise DataError(f"holds no picture ({', '.join(SUFFIXES)})", file=images)
    return found


class _Lying:
    """The files that lie under a folder, looked for when first asked; hidden folders are not."""

    def __init__(self, images: Path) -> None:
        self._images = images

    @cached_property
    def by_path(self) -> dict[str, Path]:
        found = {}
        for folder, folders, names in os.walk(self._images):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in names:
                file = Path(folder, name)
                found[file.relative_to(self._images).as_posix()] = file
        return found

    @cached_property
    def _by_name(self) -> dict[str, list[Path]]:
        by_name: dict[str, list[Path]] = {}
        for file in self.by_path.values():
            by_name.setdefault(file.name, []).append(file)
        return by_name

    def file_of(self, key: str) -> Path:
        """Return the file at the path `key`, or the one that is named as the URL `key` ends."""
        if key in self.by_path:
            return self.by_path[key]
        name = name_in(key)
        same = self._by_name.get(name, [])
        if len(same) != 1:
            raise DataError(f"{len(same)} pictures are named {name}" if same else "no such picture")
        return same[0]


def name_in(url: str) -> str:
    """Return the file name that a URL ends with; "" where it has none, or is no URL."""
    try:
        return PurePosixPath(unquote(urlsplit(url).path)).name
    except ValueError:  # a bracket that is not closed, say
        return ""


def _contents(found: Found, known: RowCache) -> list[str]:
    """Return the SHA-256 of each file, "" where it cannot be read, and note why it cannot.

    A file is read again only when its size or its time of change has changed.
    """
    marks = [_mark(file) if file else "" for file in found.files]
    new = {mark: file for mark, file in zip(marks, found.files, strict=True) if mark and file}
    new = {mark: file for mark, file in new.items() if mark not in known}
    if new:
        with known.locked(), ThreadPoolExecutor(_workers()) as pool:
            digests = dict(zip(new, pool.map(_digest, new.values()), strict=True))
            read = {mark: d for mark, d in digests.items() if d and mark not in known}
            rows = np.frombuffer(b"".join(read.values()), np.uint8).reshape(-1, 32)
            known.add(list(read), rows)
    rows_of = known.array()
    contents = []
    for i, mark in enumerate(marks):
        row = known.row_of(mark) if mark else -1
        contents.append(rows_of[row].tobytes().hex() if row >= 0 else "")
        if row < 0 and i not in found.problems:
            file = found.files[i]
            found.problems[i] = "cannot be read" if file and file.exists() else "no such picture"
    return contents


def _mark(file: Path) -> str:
    try:
        about = file.stat()
    except OSError:
        return ""
    return f"{file.resolve()} {about.st_size} {about.st_mtime_ns}"


def _digest(file: Path) -> bytes:
    try:
        found = hashlib.sha256()
        with file.open("rb") as source:
            while part := source.read(2**20):
                found.update(part)
        return found.digest()
    except OSError:
        return b""


def _decode_all(
    work: Sequence[tuple[str, Path]], kept: RowCache, side: int, fit: Fit, progress: bool
) -> None:
    """Decode files into the cache, some hundreds between two entries."""
    large = threading.Lock()

    def decoded(item: tuple[str, Path]) -> tuple[str, Squares | str]:
        content, file = item
        try:
            if _pixels_of(file) <= _LARGE:
                return content, load_square(file, side, fit)
            with large:
                return content, load_square(file, side, fit)
        except DataError as error:
            return content, error.problem

    bar = Progress(console=Console(stderr=True), disable=not progress, transient=True)
    with bar, ThreadPoolExecutor(_workers()) as pool:
        task = bar.add_task("decoding pictures", total=len(work))
        for batch in _batches(work):
            done = list(pool.map(decoded, batch))
            squares = {c: out for c, out in done if not isinstance(out, str)}
            kept.add(
                list(squares),
                np.stack(list(squares.values()))
                if squares
                else np.zeros((0, side, side, 3), np.uint8),
                {c: out for c, out in done if isinstance(out, str)},
            )
            bar.advance(task, len(batch))


def _pixels_of(file: Path) -> int:
    try:
        with Image.open(file) as picture:
            return picture.width * picture.height
    except Exception:  # whatever is wrong, decoding says it
        return 0


def _batches(work: Sequence[tuple[str, Path]]) -> Iterator[list[tuple[str, Path]]]:
    left = iter(work)
    while batch := list(islice(left, _BATCH)):
        yield batch


def _workers() -> int:
    return min(os.cpu_count() or 1, 16)
