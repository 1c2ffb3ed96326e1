"""What the filtering tests share: a local S3 over HTTP, and FiftyOne with a database of its own."""

from __future__ import annotations

import os
import shutil
import urllib.request
from collections.abc import Iterator
from typing import Any, NoReturn

import boto3
import pytest
from moto.server import ThreadedMotoServer

from filtering import fetch
from filtering.browse import load_fiftyone
from photochat.errors import DataError


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


def unavailable(reason: str) -> NoReturn:
    """Skip the test, or fail it where everything must be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
