"""One photo from the Open Images bucket: fetched over HTTP, checked as a picture, set upright.

The bucket is public, so requests are not signed. Objects are named `<subset>/<image id>.jpg`.
"""

from __future__ import annotations

import contextlib
import io
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec
from PIL import Image

from filtering.rotation import exif_orientation, turn_comment, turn_needed
from photochat.errors import DataError
from photochat.images import MAX_PIXELS, as_rgb, open_picture

BUCKET = "open-images-dataset"  # storage.googleapis.com/openimages/web/download: "AWS S3" hosting
REGION = "us-east-1"
MAX_BYTES = 50_000_000  # of one file; the bucket's own are 300 kB on average
ATTEMPTS = 5
FIRST_PAUSE = 0.5  # seconds before the second attempt; doubled for each further one
CONNECT_SECONDS = 10
READ_SECONDS = 30
JPEG_QUALITY = 95  # of the few pictures that must be written anew (turned, or no plain JPEG)
CHUNK = 1 << 16

_NOT_FOUND = 404
_REFUSED = (401, 403)
_AGAIN_LATER = (408, 429)

S3Client = Any  # botocore makes the class of its clients at run time


class FetchError(Exception):
    """A photo could not be had; `again` says whether another attempt may help.

    `unreachable` is set when the bucket itself could not be reached, whatever the photo.
    """

    def __init__(self, reason: str, *, again: bool = False, unreachable: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.again = again
        self.unreachable = unreachable


class Picture(msgspec.Struct, frozen=True):
    """A picture fit to be written: the file's bytes, and what was done to those received."""

    data: bytes
    turned: bool = False
    converted: bool = False


def open_bucket(endpoint_url: str | None = None, *, jobs: int = 1) -> S3Client:
    """Return an unsigned S3 client for `jobs` requests at a time.

    `endpoint_url` is another S3 service than Amazon's: a mirror, or a server in a test. Retries
    are ours (`fetch`), since botocore's end where the body of an answer begins.

    Raises:
        DataError: `endpoint_url` is no URL.
    """
    import boto3
    from botocore import UNSIGNED
    from botocore.config import Config

    config = Config(
        signature_version=UNSIGNED,
        region_name=REGION,
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        max_pool_connections=max(jobs, 1),
        retries={"total_max_attempts": 1},
        s3={"addressing_style": "path"} if endpoint_url else {},
    )
    try:
        return boto3.client("s3", config=config, endpoint_url=endpoint_url)
    except ValueError as error:
        raise DataError(str(error), field="--endpoint-url") from error


class Pace:
    """Spaces calls of many threads evenly: at most `rate` a second, or any number when None."""

    def __init__(self, rate: float | None = None) -> None:
        self._interval = 0.0 if rate is None else 1.0 / rate
        self._next = time.monotonic()
        self._lock = threading.Lock()

    def wait(self, stop: threading.Event) -> None:
        """Return when it is this caller's turn, or at once when `stop` is set."""
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + self._interval
        stop.wait(turn - now)


def fetch(
    client: S3Client,
    bucket: str,
    key: str,
    *,
    max_bytes: int = MAX_BYTES,
    attempts: int = ATTEMPTS,
    first_pause: float = FIRST_PAUSE,
    pace: Pace | None = None,
    stop: threading.Event | None = None,
    count: Callable[[int], None] = lambda received: None,
) -> bytes:
    """Return the bytes of one object, trying again where the server or the line may recover.

    Pauses double from `first_pause` seconds and are spread by chance, so that many workers do not
    return at the same moment. `count` is told the number of bytes of each piece received.

    Raises:
        FetchError: it is not there, is refused or too large, or `attempts` attempts have failed,
            or `stop` was set meanwhile.
    """
    pace = pace or Pace()
    stop = stop or threading.Event()
    for attempt in range(1, attempts + 1):
        pace.wait(stop)
        if stop.is_set():
            raise FetchError("stopped")
        try:
            return _get(client, bucket, key, max_bytes, stop, count)
        except FetchError as error:
            if not error.again:
                raise
            if attempt == attempts:
                reason = f"{error.reason}, {attempts} times" if attempts > 1 else error.reason
                raise FetchError(reason, unreachable=error.unreachable) from error
        # Spreading needs no secrecy.
        stop.wait(first_pause * 2 ** (attempt - 1) * random.uniform(0.5, 1.5))  # noqa: S311 - a pause
    raise ValueError("attempts must be at least 1")


def _get(
    client: S3Client,
    bucket: str,
    key: str,
    max_bytes: int,
    stop: threading.Event,
    count: Callable[[int], None],
) -> bytes:
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        ConnectionError,
        ParamValidationError,
    )

    try:
        answer = client.get_object(Bucket=bucket, Key=key)
        length = answer.get("ContentLength", 0)
        with contextlib.closing(answer["Body"]) as body:
            if length > max_bytes:
                raise FetchError(f"{length:,} bytes are more than the limit, {max_bytes:,}")
            data = bytearray()
            for piece in body.iter_chunks(CHUNK):
                count(len(piece))
                data += piece
                if len(data) > max_bytes:
                    raise FetchError(f"more bytes than the limit, {max_bytes:,}")
                if stop.is_set():
                    raise FetchError("stopped")
        return bytes(data)
    except ClientError as error:
        raise _refusal(error.response, bucket) from error
    except ParamValidationError as error:
        raise FetchError(_short(error), unreachable=True) from error
    except ConnectionError as error:
        raise FetchError(f"no answer ({_short(error)})", again=True, unreachable=True) from error
    except BotoCoreError as error:
        raise FetchError(f"the line was cut ({_short(error)})", again=True) from error


def _refusal(answer: Any, bucket: str) -> FetchError:
    status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    code = answer.get("Error", {}).get("Code", "")
    if code == "NoSuchBucket":
        return FetchError(f"there is no bucket {bucket}", unreachable=True)
    if status == _NOT_FOUND:
        return FetchError("not in the bucket (404)")
    if status in _REFUSED:
        return FetchError(f"the bucket refuses it ({status} {code})")
    again = status >= 500 or status in _AGAIN_LATER or not status
    return FetchError(f"the server answers {status} {code}".rstrip(), again=again)


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def upright_picture(
    data: bytes, rotation: float | None, *, max_pixels: int = MAX_PIXELS
) -> Picture:
    """Check the bytes of a file as a picture and make them an upright 8-bit JPEG.

    A JPEG in grey or RGB that stands upright is kept byte by byte. Others are written anew; one
    that was turned says so in its comment (`filtering.rotation`). EXIF orientation never survives
    a turn, so that no reader turns the picture again.

    Raises:
        DataError: it is no whole picture, or breaks a limit (`photochat.images.open_picture`).
    """
    picture = open_picture(data, max_pixels=max_pixels)
    orientation = exif_orientation(picture)
    turn = turn_needed(rotation, orientation)
    plain = picture.format in ("JPEG", "MPO") and picture.mode in ("RGB", "L")
    if plain and turn is None and orientation == 1:
        return Picture(data)
    upright: Image.Image = as_rgb(picture)
    options: dict[str, Any] = {"quality": JPEG_QUALITY, "subsampling": 0}
    if profile := picture.info.get("icc_profile") if picture.mode == "RGB" else None:
        options["icc_profile"] = profile
    if turn is not None:
        upright = upright.transpose(turn)
        options["comment"] = turn_comment(turn)
    # Pillow hands on the old file's comment and EXIF with the picture unless it has none.
    upright.info = {}
    out = io.BytesIO()
    upright.save(out, "JPEG", **options)
    return Picture(out.getvalue(), turned=turn is not None, converted=not plain)
