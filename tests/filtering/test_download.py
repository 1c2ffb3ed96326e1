"""`photochat download` as a whole: resumed, limited, interrupted; against a real S3 over HTTP."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from filtering.download import FAILURES_FILE, Limits, Outcome
from photochat.errors import DataError
from photochat.images import image_path
from photochat.pool import write_pool
from tests.filtering.conftest import LocalS3
from tests.filtering.downloads import fetched, key, leftovers
from tests.filtering.faulty_server import (
    FaultyServer,
    body,
    held,
)
from tests.filtering.pictures import BROKEN, REAL, encoded, made_picture, photo, real_picture


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
