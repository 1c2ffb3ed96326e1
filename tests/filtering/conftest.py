"""What the filtering tests share: inputs, a local S3 over HTTP, FiftyOne with its own database."""

from __future__ import annotations

import os
import shutil
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from filtering import fetch
from filtering.browse import load_fiftyone
from filtering.filter import Inputs, filter_photos
from photochat.errors import DataError
from photochat.photo import Photo
from photochat.pool import read_pool
from tests.conftest import shared_data, unavailable
from tests.filtering.faulty_server import FaultyServer, faulty_server
from tests.filtering.files import write_boxes, write_classes, write_hierarchy


@pytest.fixture(scope="session")
def real_open_images() -> Inputs:
    """5,000 real images of Open Images' validation subset: boxes, classes, hierarchy."""
    data = shared_data()
    if data is None:
        pytest.skip("the real data is not here (PHOTOCHAT_SHARED)")
    folder = data / "openimages"
    boxes = tuple(sorted(folder.glob("*annotations-bbox.csv")))
    return Inputs(
        boxes,
        (folder / "class-descriptions-boxable.csv",),
        folder / "bbox_labels_600_hierarchy.json",
    )


@pytest.fixture
def select(tmp_path: Path) -> Callable[..., dict[str, Photo]]:
    """Filter rows of boxes with the made-up classes; return the pool by photo id."""

    def run(*rows: str, hierarchy: bool = True, **options: Any) -> dict[str, Photo]:
        inputs = Inputs(
            boxes=(write_boxes(tmp_path, *rows),),
            classes=(write_classes(tmp_path),),
            hierarchy=write_hierarchy(tmp_path) if hierarchy else None,
        )
        filter_photos(inputs, tmp_path / "pool.parquet", **options)
        return {photo.photo_id: photo for photo in read_pool(tmp_path / "pool.parquet")}

    return run


class LocalS3:
    """A real S3 protocol over HTTP on this machine, with the bucket of Open Images in it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client: Any = boto3.client(
            "s3",
            endpoint_url=url,
            region_name=fetch.REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def make_bucket(self) -> None:
        self._client.create_bucket(Bucket=fetch.BUCKET, ACL="public-read")

    def put(self, photo_id: str, data: bytes) -> None:
        self._client.put_object(
            Bucket=fetch.BUCKET, Key=f"{photo_id}.jpg", Body=data, ACL="public-read"
        )


@pytest.fixture(scope="session")
def moto_server() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(moto_server: str) -> LocalS3:
    """An empty public bucket."""
    reset = urllib.request.Request(f"{moto_server}/moto-api/reset", method="POST")
    urllib.request.urlopen(reset).close()
    local = LocalS3(moto_server)
    local.make_bucket()
    return local


@pytest.fixture
def faulty() -> Iterator[FaultyServer]:
    with faulty_server() as server:
        yield server


@pytest.fixture(scope="session")
def fiftyone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """FiftyOne with its own real database in a temporary folder.

    Where it cannot run the tests that need it are skipped, or fail when CI=true.
    """
    home = tmp_path_factory.mktemp("fiftyone")
    os.environ |= {
        "FIFTYONE_DO_NOT_TRACK": "1",
        "FIFTYONE_DATABASE_DIR": str(home / "database"),
        "FIFTYONE_DEFAULT_DATASET_DIR": str(home / "datasets"),
        "FIFTYONE_DATABASE_VALIDATION": "false",
    }
    try:
        yield load_fiftyone()
    except DataError as error:
        unavailable(str(error))


@pytest.fixture
def chromium() -> str:
    """The path of the system's Chromium."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    return path or unavailable("no Chromium on this machine")
