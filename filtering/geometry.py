"""Whether a box is the main object of its image (section 3.1, footnotes 2 and 3).

Coordinates are fractions of the image's width and height, 0 to 1. The rules are computed in plain
double arithmetic, without a tolerance, so that every engine and any reference agree bit by bit.
"""

from __future__ import annotations

from typing import Literal, get_args

BORDER_MARGIN = 0.1  # footnote 2: "Center of the object is located within 0.1 ... to the border"
MIN_SIDE = 0.3  # footnote 3: "Object width/length < 0.3 x (image width/length)"

SizeRule = Literal["both", "either"]
"""How footnote 3 is read: which of width and height must reach `MIN_SIDE`."""
SIZE_RULES: tuple[SizeRule, ...] = get_args(SizeRule)


def is_at_margin(x_min: float, x_max: float, y_min: float, y_max: float) -> bool:
    """Return whether the box's centre is within `BORDER_MARGIN` of any border (footnote 2).

    A centre exactly at that distance is within it.
    """
    return _is_near_end((x_min + x_max) / 2) or _is_near_end((y_min + y_max) / 2)


def is_too_small(
    x_min: float, x_max: float, y_min: float, y_max: float, size: SizeRule = "both"
) -> bool:
    """Return whether the box is extremely small (footnote 3).

    With `size="both"`, width and height must each reach `MIN_SIDE`; with "either", one is enough.
    A side of exactly `MIN_SIDE` reaches it.
    """
    is_narrow = x_max - x_min < MIN_SIDE
    is_low = y_max - y_min < MIN_SIDE
    return (is_narrow or is_low) if size == "both" else (is_narrow and is_low)


def is_main_object(
    x_min: float, x_max: float, y_min: float, y_max: float, size: SizeRule = "both"
) -> bool:
    """Return whether the box is "neither positioned in the margin ... nor extremely small"."""
    return not is_at_margin(x_min, x_max, y_min, y_max) and not is_too_small(
        x_min, x_max, y_min, y_max, size
    )


def _is_near_end(center: float) -> bool:
    return center <= BORDER_MARGIN or center >= 1 - BORDER_MARGIN
