"""Pictures for tests: scikit-image's real photographs, made-up ones, and broken files."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import skimage.data
from PIL import Image

from photochat.photo import Box, Photo

REAL = ("astronaut", "coffee", "chelsea", "camera")


def real_picture(name: str) -> Image.Image:
    """One of scikit-image's photographs."""
    return Image.fromarray(getattr(skimage.data, name)())


def made_picture(width: int = 64, height: int = 48, seed: int = 0) -> Image.Image:
    """Coloured noise, which no JPEG encoder shrinks to nothing."""
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


def encoded(picture: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    """The bytes of a picture as a file of `kind`."""
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def bomb() -> bytes:
    """A PNG of a few hundred bytes whose header announces 900 million pixels."""
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(bytes(90_001)))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


BROKEN = {
    "truncated": encoded(made_picture())[:-400],
    "html": b"<!doctype html><title>Sign in to the hotel's network</title>",
    "empty": b"",
    "one pixel": encoded(Image.new("RGB", (1, 1))),
    "bomb": bomb(),
    "header only": encoded(made_picture())[:24],
}


def photo(number: int, subset: str = "train", **fields: object) -> Photo:
    """A photo of the pool; boxes are a dog that is the main object and a small cup."""
    given: dict[str, object] = {
        "photo_id": f"{subset}/{number:016x}",
        "url": f"https://farm1.example/{number}_o.jpg",
        "license": "https://creativecommons.org/licenses/by/2.0/",
        "author": "Ann Example",
        "title": f"Photo {number}",
        "labels": ("Dog", "Animal"),
        "themes": ("animal",),
        "qualifying": ("Animal",),
        "boxes": (
            Box("Dog", "/m/0bt9lr", 0.2, 0.8, 0.25, 0.75, main=True),
            Box("Cup", "/m/02p5f1q", 0.05, 0.15, 0.8, 0.95),
        ),
    }
    return Photo(**(given | fields))  # type: ignore[arg-type]
