"""`photochat download` against a real S3 over HTTP, and against servers that misbehave."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from filtering import fetch
from filtering.download import FAILURES_FILE, DownloadReport, Limits, Outcome, download
from filtering.rotation import Turn, recorded_turn
from photochat.errors import DataError
from photochat.images import image_path, open_picture
from photochat.pool import write_pool
from tests.filtering.conftest import LocalS3
from tests.filtering.faulty_server import (
    FaultyServer,
    body,
    cut,
    faulty_server,
    first,
    hang_up,
    held,
    status,
)
from tests.filtering.pictures import BROKEN, REAL, encoded, made_picture, photo, real_picture

QUICK = Limits(jobs=4, attempts=3, first_pause=0.01)


@pytest.fixture
def faulty() -> Iterator[FaultyServer]:
    with faulty_server() as server:
        yield server


def key(photo_id: str) -> str:
    return f"/{fetch.BUCKET}/{photo_id}.jpg"


def fetched(
    url: str, images: Path, *photos: Any, limits: Limits = QUICK, **options: Any
) -> DownloadReport:
    client = fetch.open_bucket(url, jobs=limits.jobs)
    return download(photos, images, client=client, limits=limits, **options)


def reasons(report: DownloadReport) -> dict[str, str]:
    return {failure.photo_id: failure.reason for failure in report.failures}


def leftovers(images: Path) -> list[Path]:
    return list(images.rglob("*.part"))


def run(*arguments: object, **options: Any) -> subprocess.Popen[str]:
    program = "from photochat.cli import main; main()"
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def test_real_pictures_from_a_real_bucket(s3: LocalS3, tmp_path: Path) -> None:
    """Every picture of the pool arrives byte by byte under its photo id, by unsigned requests."""
    photos = [photo(number) for number in range(len(REAL))]
    files = [encoded(real_picture(name)) for name in REAL]
    for wanted, data in zip(photos, files, strict=True):
        s3.put(wanted.photo_id, data)
    report = fetched(s3.url, tmp_path, *photos)
    assert (report.downloaded, report.complete) == (4, True)
    assert report.bytes == sum(map(len, files))
    for wanted, data in zip(photos, files, strict=True):
        assert image_path(tmp_path, wanted.photo_id).read_bytes() == data
    assert not leftovers(tmp_path)
    assert not (tmp_path / FAILURES_FILE).exists()


def test_second_run_fetches_nothing(s3: LocalS3, tmp_path: Path) -> None:
    """Pictures already there are not asked for again."""
    s3.put(photo(1).photo_id, encoded(made_picture()))
    fetched(s3.url, tmp_path, photo(1))
    report = fetched(s3.url, tmp_path, photo(1))
    assert (report.present, report.downloaded, report.bytes) == (1, 0, 0)


def test_damaged_files_are_fetched_again(s3: LocalS3, tmp_path: Path) -> None:
    """A file that does not decode is replaced, unless the user says that the folder is good."""
    data = encoded(made_picture())
    s3.put(photo(1).photo_id, data)
    place = image_path(tmp_path, photo(1).photo_id)
    place.parent.mkdir()
    place.write_bytes(BROKEN["truncated"])
    assert fetched(s3.url, tmp_path, photo(1), recheck=False).present == 1
    assert fetched(s3.url, tmp_path, photo(1)).downloaded == 1
    assert place.read_bytes() == data


def test_photos_that_stand_twice_are_fetched_once(s3: LocalS3, tmp_path: Path) -> None:
    """A duplicate row of the pool is no second photo."""
    s3.put(photo(1).photo_id, encoded(made_picture()))
    assert fetched(s3.url, tmp_path, photo(1), photo(1)).wanted == 1


def test_failures_are_listed_and_retried(s3: LocalS3, tmp_path: Path) -> None:
    """What is not in the bucket stands in the failures file until a later run finds it."""
    s3.put(photo(1).photo_id, encoded(made_picture()))
    report = fetched(s3.url, tmp_path, photo(1), photo(2))
    assert (report.downloaded, report.failed, report.complete) == (1, 1, False)
    lines = (tmp_path / FAILURES_FILE).read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"photo_id": photo(2).photo_id, "reason": "not in the bucket (404)"}
    ]
    s3.put(photo(2).photo_id, encoded(made_picture()))
    assert fetched(s3.url, tmp_path, photo(1), photo(2)).complete
    assert not (tmp_path / FAILURES_FILE).exists()


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


def test_run_stops_at_the_limit_in_all(faulty: FaultyServer, tmp_path: Path) -> None:
    """Once the limit in all is passed nothing more is asked for, and the rest is counted."""
    data = encoded(made_picture())
    photos = [photo(number) for number in range(20)]
    for one in photos:
        faulty.answers[key(one.photo_id)] = body(data)
    limits = Limits(jobs=1, max_total_bytes=3 * len(data))
    report = fetched(faulty.url, tmp_path, *photos, limits=limits)
    assert (report.downloaded, report.not_tried, report.failed) == (3, 17, 0)
    assert report.stopped is not None
    assert "in all" in report.stopped
    assert not report.complete
    assert fetched(faulty.url, tmp_path, *photos).complete


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


def test_absent_server_is_not_asked_thousands_of_times(tmp_path: Path) -> None:
    """When nothing answers, the run ends early, says so, and counts the rest as not tried."""
    photos = [photo(number) for number in range(500)]
    limits = Limits(jobs=4, attempts=2, first_pause=0.001)
    report = fetched("http://127.0.0.1:9", tmp_path, *photos, limits=limits)
    assert report.stopped is not None
    assert "no answer" in report.stopped
    assert report.failed + report.not_tried == 500
    assert report.failed < 50


def test_absent_bucket_ends_the_run(s3: LocalS3, tmp_path: Path) -> None:
    """A bucket that does not exist is named once, not once a photo."""
    photos = [photo(number) for number in range(100)]
    report = fetched(s3.url, tmp_path, *photos, bucket="nobody-has-this")
    assert report.stopped is not None
    assert "there is no bucket nobody-has-this" in report.stopped


def test_unsafe_photo_ids_write_nothing(tmp_path: Path) -> None:
    """A photo id that leads outside the folder stops the run before any request."""
    with pytest.raises(DataError, match="cannot name a file"):
        fetched("http://127.0.0.1:9", tmp_path / "images", photo(1, photo_id="../../etc/x"))
    assert not (tmp_path / "images").exists()


def test_two_runs_do_not_share_a_folder(faulty: FaultyServer, tmp_path: Path) -> None:
    """A second run into the same folder is refused while the first one writes."""
    gate, asked = threading.Event(), threading.Event()

    def waits(handler: Any, attempt: int) -> None:
        asked.set()
        held(gate, body(encoded(made_picture())))(handler, attempt)

    faulty.answers[key(photo(1).photo_id)] = waits
    other = threading.Thread(target=fetched, args=(faulty.url, tmp_path, photo(1)))
    other.start()
    assert asked.wait(30)
    try:
        with pytest.raises(DataError, match="another download"):
            fetched(faulty.url, tmp_path, photo(1))
    finally:
        gate.set()
        other.join()
    assert image_path(tmp_path, photo(1).photo_id).exists()


def test_every_photo_is_told_of_once(s3: LocalS3, tmp_path: Path) -> None:
    """The caller hears of each photo as it is done, with the bytes so far."""
    s3.put(photo(1).photo_id, encoded(made_picture()))
    heard: list[tuple[Outcome, int]] = []
    report = fetched(
        s3.url, tmp_path, photo(1), photo(2), on_outcome=lambda *news: heard.append(news)
    )
    results = {outcome.photo_id: outcome.result for outcome, _ in heard}
    assert results == {photo(1).photo_id: "downloaded", photo(2).photo_id: "failed"}
    assert heard[-1][1] == report.bytes


def test_bad_endpoint_is_one_line() -> None:
    """An endpoint that is no URL is bad input."""
    with pytest.raises(DataError, match="--endpoint-url: Invalid endpoint"):
        fetch.open_bucket("not a url")


def test_command_line(s3: LocalS3, tmp_path: Path) -> None:
    """The command exits 1 while pictures are missing and 0 once all are there; stderr is no bar."""
    write_pool(tmp_path / "pool.parquet", [photo(1), photo(2)])
    s3.put(photo(1).photo_id, encoded(made_picture()))
    arguments = [
        "download", tmp_path / "pool.parquet", "--images", tmp_path / "images",
        "--endpoint-url", s3.url,
    ]  # fmt: skip
    first_run = run(*arguments, "--json")
    out, err = first_run.communicate()
    assert first_run.returncode == 1
    assert json.loads(out)["failures"][0]["photo_id"] == photo(2).photo_id
    assert err.splitlines() == [
        f"photochat: the failures stand in {tmp_path / 'images' / FAILURES_FILE}; "
        "run again to retry them"
    ]
    s3.put(photo(2).photo_id, encoded(made_picture()))
    second_run = run(*arguments)
    out, err = second_run.communicate()
    assert (second_run.returncode, err) == (0, "")
    assert out.startswith("2 photos: 1 were there, 1 downloaded")


@pytest.mark.parametrize(
    ("signum", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)], ids=["ctrl-c", "kill -9"]
)
def test_interrupted_runs_go_on(
    signum: int, code: int, faulty: FaultyServer, tmp_path: Path
) -> None:
    """Stopped in the middle, by hand or by force, a run leaves whole files and resumes."""
    data, gate, stuck = encoded(made_picture()), threading.Event(), threading.Event()

    def waits(handler: Any, attempt: int) -> None:
        stuck.set()
        gate.wait(60)
        body(data)(handler, attempt)

    photos = [photo(number) for number in range(10)]
    write_pool(tmp_path / "pool.parquet", photos)
    images = tmp_path / "images"
    for one in photos[:6]:
        faulty.answers[key(one.photo_id)] = body(data)
    for one in photos[6:]:
        faulty.answers[key(one.photo_id)] = waits
    arguments = [
        "download", tmp_path / "pool.parquet", "--images", images,
        "--endpoint-url", faulty.url, "--jobs", 2,
    ]  # fmt: skip
    process = run(*arguments)
    assert stuck.wait(20)
    while len(list(images.rglob("*.jpg"))) < 6:
        time.sleep(0.02)
    process.send_signal(signum)
    _, err = process.communicate(timeout=30)
    gate.set()
    assert process.returncode == code
    assert err == ("photochat: interrupted\n" if signum == signal.SIGINT else "")
    there = list(images.rglob("*.jpg"))
    assert len(there) == 6
    assert all(place.read_bytes() == data for place in there)
    # What a kill in the middle of a write leaves behind:
    (images / "train" / ".0000.jpg.abc.part").write_bytes(data[:50])

    faulty.requests.clear()
    again = run(*arguments, "--json")
    out, _ = again.communicate(timeout=60)
    assert again.returncode == 0
    report = json.loads(out)
    assert (report["present"], report["downloaded"]) == (6, 4)
    assert sum(faulty.requests.values()) == 4
    assert not leftovers(images)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX file size limit")
def test_full_disk_is_one_line(s3: LocalS3, tmp_path: Path) -> None:
    """When a file cannot be written whole the run ends with exit 2, one line and no part of it."""
    import resource

    write_pool(tmp_path / "pool.parquet", [photo(1)])
    s3.put(photo(1).photo_id, encoded(made_picture(400, 300)))
    process = run(
        "download", tmp_path / "pool.parquet", "--images", tmp_path / "images",
        "--endpoint-url", s3.url,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)),
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert len(err.splitlines()) == 1
    assert "cannot be written" in err
    assert not list((tmp_path / "images").rglob("*.jpg"))
    assert not leftovers(tmp_path / "images")
