"""The copies that workers get."""

from __future__ import annotations

import pytest
from PIL import Image

from photochat.errors import DataError
from photochat.picture_copies import MAX_SIDE, resized


def test_resized_once_upright_and_without_exif(tmp_path):
    """At most MAX_SIDE pixels, turned as the camera says, no place where it was taken."""
    original = tmp_path / "images" / "train" / "a.jpg"
    original.parent.mkdir(parents=True)
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    exif[0x010F] = "a camera"
    Image.new("RGB", (3000, 1500), "red").save(original, exif=exif)
    copy = resized(tmp_path / "images", tmp_path / "cache", "train/a")
    with Image.open(copy) as picture:
        assert picture.size == (MAX_SIDE // 2, MAX_SIDE)
        assert not picture.getexif()
    stamp = copy.stat().st_mtime_ns
    assert resized(tmp_path / "images", tmp_path / "cache", "train/a") == copy
    assert copy.stat().st_mtime_ns == stamp


@pytest.mark.parametrize("photo_id", ["../secret", "/etc/passwd", "train/../../x", "", "a\0b"])
def test_an_id_cannot_lead_elsewhere(tmp_path, photo_id):
    """Whatever stands in the pool."""
    with pytest.raises(DataError):
        resized(tmp_path, tmp_path / "cache", photo_id)


def test_a_damaged_picture_is_an_error_and_no_copy(tmp_path):
    """And the cache stays empty."""
    original = tmp_path / "train" / "a.jpg"
    original.parent.mkdir()
    original.write_bytes(b"no picture")
    with pytest.raises(DataError):
        resized(tmp_path, tmp_path / "cache", "train/a")
    assert not list((tmp_path / "cache").rglob("*.jpg"))
