"""The photos that dialogues are made about: a pool, or lines of JSON with labels or attributes."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import msgspec

from photochat.errors import UNDECODABLE, DataError
from photochat.pool import read_pool


class PhotoRecord(msgspec.Struct, frozen=True):
    """A photo and what is known of it. `attributes` are facts by name ("top": "red jacket").

    Keys beyond these are ignored, so that a line may come from elsewhere.
    """

    photo_id: str | None = None
    url: str = ""
    labels: tuple[str, ...] = ()
    attributes: dict[str, str] = {}

    @property
    def objects(self) -> tuple[str, ...]:
        """What the release's description lists: the labels, or the attributes where none are."""
        named = self.labels or tuple(self.attributes.values())
        return tuple(" ".join(name.replace(",", " ").split()) for name in named if name.strip())

    @property
    def facts(self) -> str:
        """What a model is told, a line each."""
        lines = [f"- it shows: {', '.join(self.labels)}"] if self.labels else []
        lines += [f"- {name}: {value}" for name, value in self.attributes.items() if value.strip()]
        return "\n".join(" ".join(line.split()) for line in lines)


def read_photos(path: str | Path) -> list[PhotoRecord]:
    """Read `pool.parquet`, or one JSON object a line.

    Raises:
        DataError: the file cannot be read, is empty, or a photo has no name or nothing is known
            of it; it is named.
    """
    path = Path(path)
    if path.suffix == ".parquet":
        pool = read_pool(path)
        rows = [PhotoRecord(p.photo_id, p.url or "", p.labels) for p in pool]
        photos = [(f"row {number}", photo) for number, photo in enumerate(rows, start=1)]
    else:
        photos = _lines(path)
    if not photos:
        raise DataError("holds no photos", file=path)
    for where, photo in photos:
        if not photo.photo_id and not photo.url:
            raise DataError("names no photo: give photo_id or url", file=path, record=where)
        if not photo.objects:
            raise DataError("tells nothing: give labels or attributes", file=path, record=where)
    return [photo for _, photo in photos]


def _lines(path: Path) -> list[tuple[str, PhotoRecord]]:
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError("no such file", file=path) from error
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", file=path) from error
    photos = []
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            photos.append((f"line {number}", msgspec.json.decode(line, type=PhotoRecord)))
        except UNDECODABLE as error:
            raise DataError(
                f"is no photo record ({error})", file=path, record=f"line {number}"
            ) from error
    return photos


def chosen(photos: Sequence[PhotoRecord], limit: int | None, seed: int) -> list[PhotoRecord]:
    """Draw `limit` photos by the seed, or take all; in the order given."""
    if limit is None or limit >= len(photos):
        return list(photos)
    draw = random.Random(seed)  # noqa: S311 - a sample, no secret
    return [photos[place] for place in sorted(draw.sample(range(len(photos)), limit))]
