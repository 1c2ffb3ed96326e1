"""The image metadata of photos, merged from files a few times larger than memory.

Pool and metadata both come sorted by image id, so one walk through the metadata serves all blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from filtering.assembly import NotSortedError
from filtering.duckdb_engine import connect, csv_sql, streamed
from filtering.open_images import METADATA_COLUMNS

SCHEMA = pa.schema(
    [(name, pa.float64() if name == "rotation" else pa.string()) for name in METADATA_COLUMNS]
)
_BATCH_ROWS = 50_000


def metadata_rows(
    files: Sequence[Path], *, in_order: bool, memory_limit: str, spill: Path
) -> Iterator[pa.Table]:
    """Yield the rows of metadata files in blocks, as they stand there, or sorted by image id.

    Raises:
        duckdb.Error: a file is no such CSV, or memory or disk ran out.
    """
    query = " UNION ALL ".join(csv_sql(path, "metadata") for path in files)
    if in_order:
        query = f"SELECT * FROM ({query}) ORDER BY ALL"
    with connect(memory_limit, spill) as connection:
        for batch in streamed(connection, query, _BATCH_ROWS):
            yield pa.Table.from_batches([batch]).cast(SCHEMA)


class MetadataWalk:
    """Hands out the metadata of ascending blocks of image ids, reading each row once."""

    def __init__(self, rows: Iterator[pa.Table]) -> None:
        self._rows = rows
        self._held: pa.Table = SCHEMA.empty_table()
        self._last = ""
        self._at_end = False

    def of(self, image_ids: pa.Array) -> pa.Table:
        """Return one row for each id, in their order; nulls where an image has no metadata.

        Where an image stands twice, its first row counts.

        Raises:
            NotSortedError: the metadata is not sorted by image id.
        """
        parts = [self._held]
        while not self._at_end and self._last <= image_ids[-1].as_py():
            rows = next(self._rows, None)
            if rows is None:
                self._at_end = True
                break
            if not rows.num_rows:
                continue
            ids = rows.column("image_id").combine_chunks()
            in_order = pc.all(pc.less_equal(ids[:-1], ids[1:]), min_count=0, skip_nulls=False)
            if not in_order.as_py() or ids[0].as_py() < self._last:
                raise NotSortedError
            self._last = ids[-1].as_py()
            # What this block passes by is not held: its images are not in the pool.
            parts.append(rows.filter(pc.greater_equal(ids, image_ids[0])))
        held = pa.concat_tables(parts).combine_chunks()
        places = pc.index_in(image_ids, held.column("image_id"))
        is_later = pc.greater(held.column("image_id"), image_ids[-1])
        self._held = held.filter(is_later)
        return held.take(places)
