"""The folder of pictures: safe paths, and pictures that are believed only when whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from photochat.errors import DataError
from photochat.images import as_rgb, image_path, open_picture, picture_size
from tests.filtering.pictures import BROKEN, REAL, encoded, made_picture, real_picture


def test_layout() -> None:
    """A picture lies at DIR/<photo_id>.jpg."""
    assert image_path("pictures", "train/00ff") == Path("pictures/train/00ff.jpg")


@pytest.mark.parametrize(
    "photo_id",
    ["", "..", "../x", "train/../../x", "/etc/passwd", "train//x", "train/", "a\\b", ".hidden",
     "train/.x", "a\0b", "train/x\n", "C:/x", "x" * 300],
)  # fmt: skip
def test_ids_that_name_other_places_are_refused(photo_id: str) -> None:
    """No photo id leads outside the folder or to a hidden file."""
    with pytest.raises(DataError, match="cannot name a file"):
        image_path("pictures", photo_id)


@given(st.text(max_size=40))
def test_every_accepted_id_stays_inside(photo_id: str) -> None:
    """Whatever the id, the path is inside the folder or there is a DataError."""
    try:
        path = image_path("/pictures", photo_id)
    except DataError:
        return
    assert path.resolve().is_relative_to("/pictures")


@pytest.mark.parametrize("name", REAL)
def test_real_photographs_open(name: str, tmp_path: Path) -> None:
    """Real photographs open from a path and from bytes, with the same pixels."""
    data = encoded(real_picture(name))
    (tmp_path / "a.jpg").write_bytes(data)
    by_path, by_bytes = open_picture(tmp_path / "a.jpg"), open_picture(data)
    assert by_path.size == by_bytes.size == real_picture(name).size
    assert by_path.tobytes() == by_bytes.tobytes()
    assert picture_size(tmp_path / "a.jpg") == by_path.size


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_refused(name: str, tmp_path: Path) -> None:
    """Each broken file is refused in one line that names it."""
    path = tmp_path / "broken.jpg"
    path.write_bytes(BROKEN[name])
    with pytest.raises(DataError) as caught:
        open_picture(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_missing_files_are_refused(tmp_path: Path) -> None:
    """A picture that is not there, and a folder in its place, are DataErrors."""
    with pytest.raises(DataError, match="no such picture"):
        open_picture(tmp_path / "none.jpg")
    with pytest.raises(DataError, match="cannot be read"):
        open_picture(tmp_path)
    with pytest.raises(DataError, match="no such picture"):
        picture_size(tmp_path / "none.jpg")


def test_pixel_limit_is_checked_before_decoding() -> None:
    """A picture over the given limit is refused by what its header says."""
    data = encoded(made_picture(64, 48))
    assert open_picture(data, max_pixels=64 * 48).size == (64, 48)
    with pytest.raises(DataError, match="more than the limit"):
        open_picture(data, max_pixels=64 * 48 - 1)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damage_is_noticed_or_harmless(data: st.DataObject) -> None:
    """Whatever bytes are changed or cut, the result is a picture or a DataError, nothing else."""
    kind = data.draw(st.sampled_from(["JPEG", "PNG", "WEBP"]))
    file = bytearray(encoded(made_picture(24, 20), kind))
    for _ in range(data.draw(st.integers(0, 6))):
        file[data.draw(st.integers(0, len(file) - 1))] = data.draw(st.integers(0, 255))
    del file[data.draw(st.integers(0, len(file))) :]
    try:
        picture = open_picture(bytes(file))
    except DataError:
        return
    as_rgb(picture)


def test_sixteen_bit_greys_keep_their_shades() -> None:
    """16 bits are scaled to 8, not clipped to white."""
    shades = np.linspace(0, 65535, 64 * 64, dtype=np.uint16).reshape(64, 64)
    picture = open_picture(encoded(Image.fromarray(shades), "PNG"))
    grey = np.asarray(as_rgb(picture))[..., 0]
    assert np.abs(grey.astype(int) - (shades // 256).astype(int)).max() <= 1


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGBA", "P", "LA", "1"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    """Grey, CMYK, palette and transparent pictures become RGB of the same size."""
    picture = as_rgb(real_picture("coffee").resize((60, 40)).convert(mode))
    assert (picture.mode, picture.size) == ("RGB", (60, 40))


def test_transparent_parts_become_white() -> None:
    """A fully transparent picture is white."""
    clear = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    assert as_rgb(clear).getcolors() == [(400, (255, 255, 255))]
