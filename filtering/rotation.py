"""Turning a photo upright, and its boxes with it.

Open Images stores some photos lying on their side and says so in its metadata: Rotation is the
number of degrees "counterclockwise that the image and boxes should be rotated" (its page on
rotated images; 0, 90, 180, 270, or empty where the original was gone from Flickr; 2.6% of the
photos are turned). The boxes of the pool are in the frame of the stored picture, so whoever draws
them on a turned picture turns them too. Which turn a picture got stands in its JPEG comment,
because only the file itself can say whether it was turned.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import msgspec
from PIL import ExifTags, Image

from photochat.errors import DataError
from photochat.photo import Box

Turn = Image.Transpose

_COUNTER_CLOCKWISE = {90: Turn.ROTATE_90, 180: Turn.ROTATE_180, 270: Turn.ROTATE_270}
_BY_EXIF = {
    2: Turn.FLIP_LEFT_RIGHT,
    3: Turn.ROTATE_180,
    4: Turn.FLIP_TOP_BOTTOM,
    5: Turn.TRANSPOSE,
    6: Turn.ROTATE_270,
    7: Turn.TRANSVERSE,
    8: Turn.ROTATE_90,
}
_COMMENT = "photochat: turned "

# Where a point (x, y), counted from the upper left corner in fractions, goes.
_MOVED: dict[Turn, Callable[[float, float], tuple[float, float]]] = {
    Turn.FLIP_LEFT_RIGHT: lambda x, y: (1 - x, y),
    Turn.FLIP_TOP_BOTTOM: lambda x, y: (x, 1 - y),
    Turn.ROTATE_90: lambda x, y: (y, 1 - x),
    Turn.ROTATE_180: lambda x, y: (1 - x, 1 - y),
    Turn.ROTATE_270: lambda x, y: (1 - y, x),
    Turn.TRANSPOSE: lambda x, y: (y, x),
    Turn.TRANSVERSE: lambda x, y: (1 - y, 1 - x),
}


def turn_needed(rotation: float | None, exif_orientation: int = 1) -> Turn | None:
    """Return the turn that sets a stored picture upright, or None when it stands already.

    `rotation` is the metadata's, in degrees counter-clockwise. Open Images computed it from the
    original's EXIF orientation, so where it is known (0 included) the file's own EXIF tag is not
    applied on top of it; where it is None, `exif_orientation` (1 to 8) decides.

    Raises:
        DataError: `rotation` is no multiple of 90.
    """
    if rotation is None or math.isnan(rotation):
        return _BY_EXIF.get(exif_orientation)
    if rotation % 90:
        raise DataError(f"{rotation:g} degrees is no quarter turn", field="rotation")
    return _COUNTER_CLOCKWISE.get(int(rotation) % 360)


def exif_orientation(picture: Image.Image) -> int:
    """Return the picture's EXIF orientation, 1 (upright) when it has none or nonsense."""
    try:
        value = picture.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # damaged EXIF, which says nothing about a picture that decoded whole
        return 1
    return value if value in _BY_EXIF else 1


def turned_box(box: Box, turn: Turn | None) -> Box:
    """Return the box as it lies on the picture after `turn`."""
    if turn is None:
        return box
    (x_a, y_a), (x_b, y_b) = (
        _MOVED[turn](box.x_min, box.y_min),
        _MOVED[turn](box.x_max, box.y_max),
    )
    return msgspec.structs.replace(
        box, x_min=min(x_a, x_b), x_max=max(x_a, x_b), y_min=min(y_a, y_b), y_max=max(y_a, y_b)
    )


def turn_comment(turn: Turn) -> bytes:
    """Return the JPEG comment that says a picture got `turn`."""
    return f"{_COMMENT}{turn.name}".encode()


def recorded_turn(path: str | Path) -> Turn | None:
    """Return the turn that `photochat download` gave the picture at `path`; None when none.

    Pictures from elsewhere have no such comment: they are taken as stored.
    """
    try:
        with Image.open(path) as picture:
            comment = picture.info.get("comment", b"")
    except Exception:  # no readable picture, so none that was turned
        return None
    text = comment.decode("ascii", "replace") if isinstance(comment, bytes) else str(comment)
    return next((turn for turn in Turn if text == f"{_COMMENT}{turn.name}"), None)
