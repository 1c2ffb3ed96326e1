"""Small copies of pictures inside a page, so that a page is one file."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import ImageOps

from modeling.retrieval.photos import Pictured, picture_files
from photochat.errors import DataError
from photochat.images import as_rgb, open_picture

SIDE = 220  # pixels of the longer side
_QUALITY = 78


def thumbnails(photos: Sequence[Pictured], images: Path) -> dict[str, str]:
    """Return a data URL of each photo's picture by key; none where it cannot be had."""
    different = {photo.key: photo for photo in photos}
    files, _ = picture_files(list(different.values()), images)
    with ThreadPoolExecutor(4) as pool:
        made = dict(zip(different, pool.map(_data_url, files), strict=True))
    return {key: url for key, url in made.items() if url}


def _data_url(file: Path | None) -> str:
    if file is None:
        return ""
    try:
        picture = as_rgb(ImageOps.exif_transpose(open_picture(file)))
    except DataError:
        return ""
    picture.thumbnail((SIDE, SIDE))
    picture.info.clear()
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=_QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode()
