"""Pictures for those who may see them: resized once, kept beside the database, never a folder.

What is sent is always a copy of ours: turned upright, at most `MAX_SIDE` pixels, without EXIF
(which may hold the place where it was taken).
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from PIL import ImageOps

from photochat.atomic import atomic_file
from photochat.images import as_rgb, image_path, open_picture

MAX_SIDE = 1024  # pixels
_QUALITY = 85


def original_of(images: Path, photo_id: str) -> Path:
    """Return where the picture of a photo lies (there or not).

    Raises:
        DataError: the id cannot name a file.
    """
    return image_path(images, photo_id)


def resized(images: Path, cache: Path, photo_id: str) -> Path:
    """Return the copy that workers get, made when it is first asked for.

    Raises:
        DataError: the picture is missing, damaged, or has too many pixels.
    """
    name = hashlib.sha256(photo_id.encode()).hexdigest()
    copy = cache / name[:2] / f"{name}.jpg"
    if copy.is_file():
        return copy
    upright = ImageOps.exif_transpose(open_picture(original_of(images, photo_id)))
    picture = as_rgb(upright)
    picture.thumbnail((MAX_SIDE, MAX_SIDE))
    picture.info.clear()
    with atomic_file(copy) as part:
        picture.save(part, "JPEG", quality=_QUALITY, optimize=True)
    return copy
