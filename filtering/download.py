"""`photochat download`: the pictures of a pool, many at once, into `DIR/<photo_id>.jpg`.

A picture is checked in memory and written under its name only when whole, so whatever stops a run,
the next one finds nothing half-written and goes on where it was. What could not be had stands in
`DIR/download.failures.jsonl` and is tried again by the next run.
"""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from filtering import fetch
from photochat.atomic import atomic_file
from photochat.errors import DataError
from photochat.images import image_path, open_picture
from photochat.photo import Photo

FAILURES_FILE = "download.failures.jsonl"
LOCK_FILE = ".download.lock"
JOBS = 16
# After so many photos in a row for which the bucket could not be reached at all (each tried
# several times), trying the remaining thousands would only take hours to say the same.
GIVE_UP_AFTER = 32
_SECONDS_TO_STOP = 5.0

Result = Literal["present", "downloaded", "failed", "not tried"]


class Outcome(msgspec.Struct, frozen=True):
    """What became of one photo; `reason` is a sentence for those that failed."""

    photo_id: str
    result: Result
    reason: str | None = None
    turned: bool = False
    converted: bool = False
    unreachable: bool = False


class Failure(msgspec.Struct, frozen=True):
    """A line of the failures file."""

    photo_id: str
    reason: str


class DownloadReport(msgspec.Struct):
    """What a run did, in photos; `bytes` counts what came over the line, failed attempts too."""

    wanted: int = 0
    present: int = 0
    downloaded: int = 0
    turned: int = 0
    converted: int = 0
    failed: int = 0
    not_tried: int = 0
    bytes: int = 0
    stopped: str | None = None
    failures: list[Failure] = msgspec.field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether every picture of the pool is in the folder now."""
        return not (self.failed or self.not_tried)

    def add(self, outcome: Outcome) -> None:
        """Count one photo."""
        match outcome.result:
            case "present":
                self.present += 1
            case "downloaded":
                self.downloaded += 1
                self.turned += outcome.turned
                self.converted += outcome.converted
            case "not tried":
                self.not_tried += 1
            case "failed":
                self.failed += 1
                self.failures.append(Failure(outcome.photo_id, outcome.reason or ""))


class Limits(msgspec.Struct, frozen=True):
    """How hard a run may pull: requests at a time, requests a second, bytes a file and in all."""

    jobs: int = JOBS
    rate: float | None = None
    max_bytes: int = fetch.MAX_BYTES
    max_total_bytes: int | None = None
    attempts: int = fetch.ATTEMPTS
    first_pause: float = fetch.FIRST_PAUSE


def download(
    photos: Sequence[Photo],
    images: str | Path,
    *,
    client: fetch.S3Client | None = None,
    bucket: str = fetch.BUCKET,
    limits: Limits | None = None,
    recheck: bool = True,
    on_outcome: Callable[[Outcome, int], None] = lambda outcome, received: None,
) -> DownloadReport:
    """Fetch every photo's picture that is not in `images` yet; return what was done.

    A file already there is decoded whole before it is believed, and fetched again when damaged;
    with `recheck` False it is taken as good. `on_outcome` is called in this thread for each photo,
    with the bytes received so far. Photos that stand twice in the pool are fetched once.

    Raises:
        DataError: a photo id cannot name a file, the folder cannot be written, the disk is full,
            or another run is writing to the folder.
    """
    folder = Path(images)
    limits = limits or Limits()
    rotations = {photo.photo_id: photo.rotation for photo in photos}
    places = {photo_id: image_path(folder, photo_id) for photo_id in rotations}
    report = DownloadReport(wanted=len(places))
    with _only_run(folder):
        _remove_leftovers(folder)
        workers = _Workers(client or fetch.open_bucket(jobs=limits.jobs), bucket, limits, recheck)
        try:
            for outcome in workers.run(places, rotations):
                report.add(outcome)
                on_outcome(outcome, workers.received)
        finally:
            report.failures.sort(key=lambda failure: failure.photo_id)
            _write_failures(folder / FAILURES_FILE, report.failures)
        report.bytes = workers.received
        report.stopped = workers.stopped
    return report


class _Workers:
    """Threads that take photos from one queue and put outcomes into another.

    They are daemons: after an interrupt, one that hangs on a dead line does not keep the program.
    """

    def __init__(self, client: fetch.S3Client, bucket: str, limits: Limits, recheck: bool) -> None:
        self.received = 0
        self.stopped: str | None = None
        self._client = client
        self._bucket = bucket
        self._limits = limits
        self._recheck = recheck
        self._pace = fetch.Pace(limits.rate)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._tasks: queue.SimpleQueue[tuple[str, Path, float | None]] = queue.SimpleQueue()
        self._outcomes: queue.SimpleQueue[Outcome | BaseException] = queue.SimpleQueue()

    def run(self, places: dict[str, Path], rotations: dict[str, float | None]) -> Iterator[Outcome]:
        """Yield an outcome a photo, in the order they come about."""
        for photo_id, place in places.items():
            self._tasks.put((photo_id, place, rotations[photo_id]))
        threads = [
            threading.Thread(target=self._work, name=f"download-{number}", daemon=True)
            for number in range(min(self._limits.jobs, len(places)))
        ]
        try:
            for thread in threads:
                thread.start()
            silent = 0
            for _ in range(len(places)):
                outcome = self._outcomes.get()
                if isinstance(outcome, BaseException):
                    raise outcome
                if outcome.result in ("downloaded", "failed"):
                    silent = silent + 1 if outcome.unreachable else 0
                if silent == GIVE_UP_AFTER:
                    self._end(f"{silent} photos in a row failed: {outcome.reason}")
                yield outcome
        finally:
            self._stop.set()
            deadline = time.monotonic() + _SECONDS_TO_STOP
            for thread in threads:
                if thread.ident is not None:
                    thread.join(max(0.0, deadline - time.monotonic()))

    def _work(self) -> None:
        while True:
            try:
                photo_id, place, rotation = self._tasks.get_nowait()
            except queue.Empty:
                return
            try:
                self._outcomes.put(self._one(photo_id, place, rotation))
            except BaseException as error:
                self._outcomes.put(error)
                return

    def _one(self, photo_id: str, place: Path, rotation: float | None) -> Outcome:
        if self._stop.is_set():
            return Outcome(photo_id, "not tried")
        if self._is_there(place):
            return Outcome(photo_id, "present")
        try:
            data = fetch.fetch(
                self._client,
                self._bucket,
                f"{photo_id}.jpg",
                max_bytes=self._limits.max_bytes,
                attempts=self._limits.attempts,
                first_pause=self._limits.first_pause,
                pace=self._pace,
                stop=self._stop,
                count=self._count,
            )
            picture = fetch.upright_picture(data, rotation)
        except fetch.FetchError as error:
            if self._stop.is_set():
                return Outcome(photo_id, "not tried")
            return Outcome(photo_id, "failed", error.reason, unreachable=error.unreachable)
        except DataError as error:
            return Outcome(photo_id, "failed", str(error))
        with atomic_file(place) as part:
            part.write_bytes(picture.data)
        return Outcome(photo_id, "downloaded", turned=picture.turned, converted=picture.converted)

    def _is_there(self, place: Path) -> bool:
        if not place.exists():
            return False
        if not self._recheck:
            return True
        try:
            open_picture(place)
        except DataError:
            return False
        return True

    def _count(self, received: int) -> None:
        with self._lock:
            self.received += received
            most = self._limits.max_total_bytes
            over = most is not None and self.received > most
        if over:
            self._end(f"the limit of {most:,} bytes in all is reached")

    def _end(self, reason: str) -> None:
        with self._lock:
            self.stopped = self.stopped or reason
        self._stop.set()


@contextlib.contextmanager
def _only_run(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which the system gives back even after a kill."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise DataError(f"cannot be written ({error.strerror})", file=folder) from error
    try:
        if sys.platform != "win32":
            import fcntl

            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise DataError("another download is writing here", file=folder) from error
        yield
    finally:
        os.close(handle)


def _remove_leftovers(folder: Path) -> None:
    """Remove the temporary files of a run that was killed while it wrote."""
    for part in folder.rglob(".*.part"):
        part.unlink(missing_ok=True)


def _write_failures(path: Path, failures: Sequence[Failure]) -> None:
    if not failures:
        path.unlink(missing_ok=True)
        return
    with atomic_file(path) as part:
        part.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in failures))
