"""What the tests of filtering share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from filtering.filter import Inputs, filter_photos
from photochat.photo import Photo
from photochat.pool import read_pool
from tests.conftest import shared_data
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
