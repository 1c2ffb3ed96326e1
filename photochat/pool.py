"""The photo pool: `pool.parquet`, one row a photo, handed from filtering to collection."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from photochat.atomic import atomic_file
from photochat.errors import DataError
from photochat.photo import Photo

BOX_TYPE = pa.struct(
    [
        ("label", pa.string()),
        ("class_id", pa.string()),
        ("x_min", pa.float64()),
        ("x_max", pa.float64()),
        ("y_min", pa.float64()),
        ("y_max", pa.float64()),
        ("is_occluded", pa.int8()),
        ("is_truncated", pa.int8()),
        ("is_group_of", pa.int8()),
        ("is_depiction", pa.int8()),
        ("is_inside", pa.int8()),
        ("main", pa.bool_()),
    ]
)
POOL_SCHEMA = pa.schema(
    [
        ("photo_id", pa.string()),
        ("url", pa.string()),
        ("landing_url", pa.string()),
        ("license", pa.string()),
        ("author", pa.string()),
        ("title", pa.string()),
        ("rotation", pa.float64()),
        ("labels", pa.list_(pa.string())),
        ("themes", pa.list_(pa.string())),
        ("qualifying", pa.list_(pa.string())),
        ("boxes", pa.list_(BOX_TYPE)),
    ]
)


def read_pool(path: str | Path) -> list[Photo]:
    """Read a pool. Columns beyond the schema are ignored; missing optional ones are empty.

    Raises:
        DataError: the file is missing, is no Parquet file, or a value has the wrong type.
    """
    try:
        table = pq.read_table(path)
    except FileNotFoundError as error:
        raise DataError("no such file", file=path) from error
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"cannot be read as a photo pool ({error})", file=path) from error
    if "photo_id" not in table.column_names:
        raise DataError("has no column photo_id: is it a pool.parquet?", file=path)
    known = [name for name in POOL_SCHEMA.names if name in table.column_names]
    photos = []
    for number, row in enumerate(table.select(known).to_pylist(), start=1):
        present = {key: value for key, value in row.items() if value is not None}
        try:
            photos.append(msgspec.convert(present, Photo))
        except msgspec.ValidationError as error:
            raise DataError(str(error), file=path, record=f"row {number}") from error
    return photos


def write_pool(path: str | Path, photos: Iterable[Photo]) -> None:
    """Write a pool, whole or not at all; rows stand in the order given."""
    rows = [msgspec.to_builtins(photo) for photo in photos]
    with atomic_file(path) as part:
        pq.write_table(pa.Table.from_pylist(rows, schema=POOL_SCHEMA), part, compression="zstd")
