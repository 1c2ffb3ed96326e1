"""Pictures for the made-up photos: four real ones where scikit-image is at hand, the rest drawn.

The sample holds no picture files. A drawn picture shows each box of its photo as a coloured field
with its label, so that a contact sheet or a browser shows what the annotations say.
"""

from __future__ import annotations

import colorsys
import hashlib
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from photochat.atomic import atomic_file
from photochat.images import image_path
from photochat.photo import Photo

SIZE = (640, 480)
REAL_PICTURES = {
    "train/f534c934307add32": "astronaut",
    "train/53020673a88b6679": "coffee",
    "train/5c1870bb4109fa2c": "chelsea",
    "train/aacfb6909ab77c01": "camera",
}


def write_pictures(photos: Sequence[Photo], images: Path) -> int:
    """Write `images/<photo_id>.jpg` for each photo; return how many are real pictures."""
    real = 0
    for photo in photos:
        picture = _real_picture(photo.photo_id)
        real += picture is not None
        with atomic_file(image_path(images, photo.photo_id)) as part:
            (picture or draw(photo)).save(part, format="JPEG", quality=85)
    return real


def draw(photo: Photo) -> Image.Image:
    """Draw a photo's boxes, large ones first, each in its label's colour and with its name."""
    width, height = SIZE
    picture = Image.new("RGB", SIZE, _color(photo.photo_id, lightness=0.9))
    pen = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=22)
    by_size = sorted(photo.boxes, key=lambda b: (b.x_min - b.x_max) * (b.y_max - b.y_min))
    for box in by_size:
        corners = (box.x_min * width, box.y_min * height, box.x_max * width, box.y_max * height)
        pen.rounded_rectangle(corners, radius=18, fill=_color(box.label, lightness=0.7))
        pen.text((corners[0] + 12, corners[1] + 8), box.label, fill="black", font=font)
    return picture


def _real_picture(photo_id: str) -> Image.Image | None:
    try:
        from skimage import data
    except ImportError:
        return None
    name = REAL_PICTURES.get(photo_id)
    return Image.fromarray(getattr(data, name)()).convert("RGB") if name else None


def _color(text: str, lightness: float) -> tuple[int, int, int]:
    hue = hashlib.sha256(text.encode()).digest()[0] / 255
    red, green, blue = colorsys.hls_to_rgb(hue, lightness, 0.6)
    return round(red * 255), round(green * 255), round(blue * 255)
