"""What stickers show (equation 7): four attributes each, in words, kept in a file.

A line of the file is one sticker: `{"sticker_id": "s1", "gesture": "waving", "posture": "",
"facial_expression": "a wide grin", "verbal": "hello"}`. An attribute that it does not show is "".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from modeling.stickers.lines import read_lines
from photochat.errors import DataError
from photochat.stickers import Sticker

ATTRIBUTES = ("gesture", "posture", "facial_expression", "verbal")  # section 4.2: G, P, F, V


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """The attributes of one sticker."""

    sticker_id: str
    gesture: str = ""
    posture: str = ""
    facial_expression: str = ""
    verbal: str = ""

    @property
    def texts(self) -> tuple[str, ...]:
        """Return the four texts, in the order of `ATTRIBUTES`."""
        return tuple(getattr(self, attribute).strip() for attribute in ATTRIBUTES)


def read_descriptions(file: Path) -> dict[str, Description]:
    """Read a file of descriptions; half a line at its end, where writing stopped, is left out.

    Raises:
        DataError: it cannot be read, a line is no description, or a sticker stands there twice.
    """
    found: dict[str, Description] = {}
    for one in read_lines(file, Description, "description"):
        if one.sticker_id in found:
            raise DataError("stands there twice", file=file, record=f"sticker {one.sticker_id}")
        found[one.sticker_id] = one
    return found


def description_texts(
    stickers: Sequence[Sticker], described: Mapping[str, Description]
) -> tuple[list[tuple[str, ...]], int]:
    """Return the four texts of each sticker, and how many stickers have none at all."""
    nothing = ("",) * len(ATTRIBUTES)
    texts = [
        described[one.sticker_id].texts if one.sticker_id in described else nothing
        for one in stickers
    ]
    return texts, sum(not any(text) for text in texts)
