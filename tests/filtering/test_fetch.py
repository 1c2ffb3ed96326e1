"""One photo over HTTP: servers that misbehave, files that are no pictures, photos on their side."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from filtering import fetch
from filtering.download import Limits
from filtering.rotation import Turn, recorded_turn
from photochat.errors import DataError
from photochat.images import image_path, open_picture
from tests.filtering.conftest import LocalS3
from tests.filtering.downloads import fetched, key, leftovers, reasons
from tests.filtering.faulty_server import (
    FaultyServer,
    body,
    cut,
    first,
    hang_up,
    status,
)
from tests.filtering.pictures import BROKEN, encoded, made_picture, photo, real_picture


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_picture_is_not_written(name: str, s3: LocalS3, tmp_path: Path) -> None:
    """HTML, cut files, dots and bombs are failures with a reason, and leave no file."""
    s3.put(photo(1).photo_id, BROKEN[name])
    report = fetched(s3.url, tmp_path, photo(1))
    assert report.failed == 1
    assert "picture" in report.failures[0].reason or "pixels" in report.failures[0].reason
    assert not list(tmp_path.rglob("*.jpg"))


@pytest.mark.parametrize("rotation", [90.0, 180.0, 270.0])
def test_rotated_photos_are_turned(rotation: float, s3: LocalS3, tmp_path: Path) -> None:
    """A photo that the metadata calls rotated is stored upright and says so."""
    stored = real_picture("chelsea").rotate(-rotation, expand=True)
    s3.put(photo(1).photo_id, encoded(stored, quality=95))
    report = fetched(s3.url, tmp_path, photo(1, rotation=rotation))
    place = image_path(tmp_path, photo(1).photo_id)
    upright = np.asarray(open_picture(place), dtype=int)
    assert np.abs(upright - np.asarray(real_picture("chelsea"), dtype=int)).mean() < 4
    assert recorded_turn(place) == Turn[f"ROTATE_{rotation:.0f}"]
    assert (report.turned, report.converted) == (1, 0)


@pytest.mark.parametrize(("rotation", "turned"), [(None, True), (0.0, False), (90.0, True)])
def test_exif_orientation_is_applied_once_at_most(
    rotation: float | None, turned: bool, s3: LocalS3, tmp_path: Path
) -> None:
    """The EXIF tag counts only without a known rotation, and no tag is left in the file."""
    exif = Image.Exif()
    exif[274] = 6
    s3.put(photo(1).photo_id, encoded(made_picture(64, 48), exif=exif))
    report = fetched(s3.url, tmp_path, photo(1, rotation=rotation))
    picture = open_picture(image_path(tmp_path, photo(1).photo_id))
    assert picture.size == ((48, 64) if turned else (64, 48))
    assert picture.getexif().get(274) is None
    assert report.turned == turned


@pytest.mark.parametrize(
    "data",
    [
        encoded(real_picture("coffee").resize((60, 40)).convert("CMYK")),
        encoded(real_picture("coffee").resize((60, 40)), "PNG"),
        encoded(Image.fromarray(np.full((40, 60), 40_000, np.uint16)), "PNG"),
        encoded(real_picture("coffee").resize((60, 40)), "WEBP"),
    ],
    ids=["cmyk", "png", "16 bits", "webp"],
)  # fmt: skip
def test_other_kinds_become_jpeg(data: bytes, s3: LocalS3, tmp_path: Path) -> None:
    """A PNG named .jpg, 16 bits and CMYK are written as the 8-bit RGB JPEG their name promises."""
    s3.put(photo(1).photo_id, data)
    assert fetched(s3.url, tmp_path, photo(1)).converted == 1
    picture = open_picture(image_path(tmp_path, photo(1).photo_id))
    assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (60, 40))


@pytest.mark.parametrize(
    "bad",
    [
        status(503, "SlowDown"), status(500, "InternalError"), status(429, "TooManyRequests"),
        hang_up(), cut(encoded(made_picture()), 100), cut(encoded(made_picture()), 0),
    ],
    ids=["503", "500", "429", "hangs up", "cut", "cut at once"],
)  # fmt: skip
def test_passing_trouble_is_overcome(bad: Any, faulty: FaultyServer, tmp_path: Path) -> None:
    """Overload and cut connections are tried again until the picture is whole."""
    data = encoded(made_picture())
    faulty.answers[key(photo(1).photo_id)] = first(2, bad, body(data))
    assert fetched(faulty.url, tmp_path, photo(1)).complete
    assert image_path(tmp_path, photo(1).photo_id).read_bytes() == data
    assert faulty.requests[key(photo(1).photo_id)] == 3


@pytest.mark.parametrize(
    ("bad", "asked", "reason"),
    [
        (status(404, "NoSuchKey"), 1, "not in the bucket (404)"),
        (status(403, "AccessDenied"), 1, "the bucket refuses it (403 AccessDenied)"),
        (status(503, "SlowDown"), 3, "the server answers 503 SlowDown, 3 times"),
        (hang_up(), 3, "the line was cut"),
        (cut(encoded(made_picture()), 99), 3, "the line was cut"),
        (body(BROKEN["truncated"]), 1, "a damaged picture"),
        (body(BROKEN["html"]), 1, "not a picture"),
    ],
    ids=["404", "403", "503", "hangs up", "cut", "truncated", "html"],
)
def test_lasting_trouble_is_reported(
    bad: Any, asked: int, reason: str, faulty: FaultyServer, tmp_path: Path
) -> None:
    """What cannot be mended by asking again is asked for once; every failure has its reason."""
    faulty.answers[key(photo(1).photo_id)] = bad
    faulty.answers[key(photo(2).photo_id)] = body(encoded(made_picture()))
    report = fetched(faulty.url, tmp_path, photo(1), photo(2))
    assert (report.downloaded, report.failed) == (1, 1)
    assert reasons(report)[photo(1).photo_id].startswith(reason)
    assert faulty.requests[key(photo(1).photo_id)] == asked
    assert not image_path(tmp_path, photo(1).photo_id).exists()
    assert not leftovers(tmp_path)


def test_large_files_are_left_out(faulty: FaultyServer, tmp_path: Path) -> None:
    """A file over the limit is a failure, and its bytes are not fetched."""
    data = encoded(made_picture())
    faulty.answers[key(photo(1).photo_id)] = body(data)
    limits = Limits(jobs=1, max_bytes=len(data) - 1)
    report = fetched(faulty.url, tmp_path, photo(1), limits=limits)
    assert "more than the limit" in report.failures[0].reason
    assert report.bytes == 0
    assert fetched(faulty.url, tmp_path, photo(1), limits=Limits(max_bytes=len(data))).complete


def test_requests_keep_the_pace(faulty: FaultyServer, tmp_path: Path) -> None:
    """With a rate, many workers together start their requests no faster than that."""
    starts: list[float] = []

    def noted(handler: Any, attempt: int) -> None:
        starts.append(time.monotonic())
        body(encoded(made_picture()))(handler, attempt)

    photos = [photo(number) for number in range(11)]
    for one in photos:
        faulty.answers[key(one.photo_id)] = noted
    fetched(faulty.url, tmp_path, *photos, limits=Limits(jobs=4, rate=50))
    assert max(starts) - min(starts) > 0.15  # ten intervals of 20 ms, never fewer


def test_bad_endpoint_is_one_line() -> None:
    """An endpoint that is no URL is bad input."""
    with pytest.raises(DataError, match="--endpoint-url: Invalid endpoint"):
        fetch.open_bucket("not a url")
