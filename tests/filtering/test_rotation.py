"""Turning photos and boxes: held against what Pillow does to real pixels."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from filtering.rotation import (
    Turn,
    exif_orientation,
    recorded_turn,
    turn_comment,
    turn_needed,
    turned_box,
)
from photochat.errors import DataError
from photochat.photo import Box
from tests.filtering.pictures import encoded, made_picture

turns = st.sampled_from(list(Turn))


@given(turns, st.integers(0, 38), st.integers(1, 20), st.integers(0, 28), st.integers(1, 20))
def test_boxes_turn_with_the_pixels(turn: Turn, left: int, wide: int, top: int, high: int) -> None:
    """A painted rectangle, turned by Pillow, lies where the turned box says."""
    right, bottom = min(left + wide, 40), min(top + high, 30)
    picture = Image.new("L", (40, 30))
    picture.paste(255, (left, top, right, bottom))
    after = picture.transpose(turn)
    box = turned_box(Box("Dog", "", left / 40, right / 40, top / 30, bottom / 30), turn)
    width, height = after.size
    pixels = (box.x_min * width, box.y_min * height, box.x_max * width, box.y_max * height)
    assert pixels == pytest.approx(after.getbbox())


def test_metadata_rotation_is_counter_clockwise() -> None:
    """Rotation 90 brings the right edge of the stored picture to the top."""
    pixels = np.zeros((30, 40), np.uint8)
    pixels[:, 30:] = 255
    turn = turn_needed(90.0)
    assert turn is not None
    upright = np.asarray(Image.fromarray(pixels).transpose(turn))
    assert upright[:10].min() == 255
    assert upright[10:].max() == 0


@given(st.integers(1, 8))
def test_exif_decides_where_the_metadata_is_silent(orientation: int) -> None:
    """Without a rotation the EXIF orientation is applied as Pillow applies it."""
    picture = made_picture(40, 30)
    exif = Image.Exif()
    exif[274] = orientation
    stored = Image.open(__import__("io").BytesIO(encoded(picture, "PNG", exif=exif)))
    turn = turn_needed(None, exif_orientation(stored))
    mine = stored if turn is None else stored.transpose(turn)
    assert mine.tobytes() == ImageOps.exif_transpose(stored).tobytes()


@given(st.sampled_from([0.0, 90.0, 180.0, 270.0]), st.integers(1, 8))
def test_known_rotation_wins_over_exif(rotation: float, orientation: int) -> None:
    """A photo is never turned twice: the metadata's rotation, 0 included, is the whole turn."""
    assert turn_needed(rotation, orientation) == turn_needed(rotation)


def test_not_a_number_is_unknown() -> None:
    """The metadata's nan means that the rotation is not known."""
    assert turn_needed(math.nan, 6) == Turn.ROTATE_270


def test_odd_angles_are_refused() -> None:
    """An angle that is no quarter turn is bad input."""
    with pytest.raises(DataError, match="rotation: 45 degrees is no quarter turn"):
        turn_needed(45.0)


@pytest.mark.parametrize("turn", list(Turn))
def test_files_say_how_they_were_turned(turn: Turn, tmp_path: Path) -> None:
    """The turn stands in the JPEG's comment and is read from there."""
    path = tmp_path / "a.jpg"
    path.write_bytes(encoded(made_picture(), comment=turn_comment(turn)))
    assert recorded_turn(path) == turn


@pytest.mark.parametrize(
    "comment", [None, b"", b"taken in Rome", b"\xff\xfe", b"photochat: turned"]
)
def test_other_comments_mean_no_turn(comment: bytes | None, tmp_path: Path) -> None:
    """A picture from elsewhere is taken as stored, whatever its comment."""
    path = tmp_path / "a.jpg"
    path.write_bytes(encoded(made_picture(), **({} if comment is None else {"comment": comment})))
    assert recorded_turn(path) is None
    assert recorded_turn(tmp_path / "none.jpg") is None
