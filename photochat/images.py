"""The folder of pictures that `--images DIR` names, and how a picture in it is opened safely.

The layout is `DIR/<photo_id>.jpg`, so a photo of the pool lies at `DIR/train/0a1b2c3d4e5f6071.jpg`.
Pictures come from strangers: a file is decoded whole before it is believed, and never when its
header announces more pixels than a photo has.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, UnidentifiedImageError, WebPImagePlugin

from photochat.errors import DataError

MAX_PIXELS = 80_000_000  # larger than a full-size camera file; decoded, that is about 240 MB
MIN_SIDE = 16  # pixels; smaller is a tracking dot or a spacer, never a photo
FORMATS = ("JPEG", "PNG", "WEBP")  # a multi-picture JPEG opens as its first picture

# Pillow registers a format when its plugin is imported; by itself it imports only the oldest ones.
assert WebPImagePlugin.SUPPORTED

# One or more names joined by "/", none of which starts with a dot: no "..", no absolute path.
_PHOTO_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*")
_MAX_ID_CHARS = 200


def image_path(images: str | Path, photo_id: str) -> Path:
    """Return where the picture of `photo_id` lies under `images`, whether it is there or not.

    Raises:
        DataError: `photo_id` is no plain `<subset>/<image id>`, so it could name a file elsewhere.
    """
    if len(photo_id) > _MAX_ID_CHARS or not _PHOTO_ID.fullmatch(photo_id):
        raise DataError(
            f"{photo_id[:_MAX_ID_CHARS]!r} cannot name a file: expected <subset>/<image id>",
            field="photo_id",
        )
    return Path(images) / f"{photo_id}.jpg"


def open_picture(
    source: str | Path | bytes,
    *,
    max_pixels: int = MAX_PIXELS,
    formats: Sequence[str] = FORMATS,
) -> Image.Image:
    """Open a picture and decode it whole, as stored (no rotation, its own mode).

    `source` is a path, or the bytes of a file; `formats` are names that Pillow knows. Of several
    pictures in a file the first is opened.

    Raises:
        DataError: the file is missing, is no picture of a known format, is cut short or damaged,
            has more than `max_pixels` pixels, or has a side below `MIN_SIDE`.
    """
    if isinstance(source, bytes):
        return _decoded(source, max_pixels, formats)
    try:
        return _decoded(Path(source).read_bytes(), max_pixels, formats)
    except FileNotFoundError as error:
        raise DataError("no such picture", file=source) from error
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})", file=source) from error
    except DataError as error:
        raise DataError(error.problem, file=source) from error


def _decoded(data: bytes, max_pixels: int, formats: Sequence[str]) -> Image.Image:
    try:
        picture = Image.open(io.BytesIO(data), formats=list(formats))
        width, height = picture.size
        if width * height > max_pixels:
            raise DataError(f"{width} x {height} pixels are more than the limit, {max_pixels:,}")
        if min(width, height) < MIN_SIDE:
            raise DataError(f"{width} x {height} pixels are too few for a photo")
        picture.load()
    except DataError:
        raise
    except Image.DecompressionBombError as error:
        raise DataError(f"more pixels than the limit, {max_pixels:,}") from error
    except UnidentifiedImageError as error:
        raise DataError(f"not a picture ({_named(formats)})") from error
    except Exception as error:  # Pillow's decoders report damage by exceptions of many kinds
        raise DataError(f"a damaged picture ({error})") from error
    return picture


def _named(formats: Sequence[str]) -> str:
    names = ["WebP" if name == "WEBP" else name for name in formats]
    return f"{', '.join(names[:-1])} or {names[-1]}"


def picture_size(path: str | Path) -> tuple[int, int]:
    """Return width and height in pixels by the file's header alone, without decoding it.

    Raises:
        DataError: the file is missing or is no picture of a known format.
    """
    try:
        with Image.open(path, formats=FORMATS) as picture:
            return picture.size
    except FileNotFoundError as error:
        raise DataError("no such picture", file=path) from error
    except Exception as error:  # Pillow reports damage by exceptions of many kinds
        raise DataError("not a picture (JPEG, PNG or WebP)", file=path) from error


def as_rgb(picture: Image.Image) -> Image.Image:
    """Return the picture as 8-bit RGB: transparent parts on white, 16 bits scaled down to 8."""
    if picture.mode == "RGB":
        return picture
    if picture.mode.startswith("I"):
        # Pillow's own conversion clips 16-bit greys at 255, which makes nearly everything white.
        return picture.convert("I").point(lambda value: value / 256).convert("L").convert("RGB")
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    return picture.convert("RGB")
