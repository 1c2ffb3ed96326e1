"""The image metadata of photos, merged from files a few times larger than memory.

Pool and metadata both come sorted by image id, so one walk through each file serves all blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from filtering.assembly import MalformedError, NotSortedError
from filtering.duckdb_engine import connect, csv_sql, streamed
from filtering.open_images import METADATA_COLUMNS

SCHEMA = pa.schema(
    [(name, pa.float64() if name == "rotation" else pa.string()) for name in METADATA_COLUMNS]
)
_BATCH_ROWS = 50_000


def metadata_rows(
    files: Sequence[Path], *, in_order: bool, memory_limit: str, spill: Path
) -> list[Iterator[pa.Table]]:
    """Return streams of blocks of rows: each file as it stands, or all files as one, sorted.

    Reading raises `duckdb.Error` when a file is no such CSV, or memory or disk ran out.
    """
    selects = [csv_sql(path, "metadata") for path in files]
    if in_order:
        selects = [f"SELECT * FROM ({' UNION ALL '.join(selects)}) ORDER BY ALL"]
    return [_rows(query, memory_limit, spill) for query in selects]


def _rows(query: str, memory_limit: str, spill: Path) -> Iterator[pa.Table]:
    with connect(memory_limit, spill) as connection:
        for batch in streamed(connection, query, _BATCH_ROWS):
            yield pa.Table.from_batches([batch]).cast(SCHEMA)


class MetadataWalk:
    """Hands out the metadata of ascending blocks of image ids, reading each row once."""

    def __init__(self, streams: Sequence[Iterator[pa.Table]]) -> None:
        self._streams = [_Stream(rows) for rows in streams]
        self._misses = 0

    def of(self, image_ids: pa.Array) -> pa.Table:
        """Return one row for each id, in their order; nulls where an image has no metadata.

        Where an image stands twice, its first row counts.

        Raises:
            NotSortedError: a stream is not sorted by image id.
            MalformedError: a row has no image id.
        """
        held = pa.concat_tables([stream.rows_of(image_ids) for stream in self._streams])
        places = pc.index_in(image_ids, held.column("image_id").combine_chunks())
        self._misses += places.null_count
        return held.take(places)

    def finish(self) -> None:
        """Read on to the end if an image was missed: it may stand there, out of order.

        Raises:
            NotSortedError: a stream is not sorted by image id.
            MalformedError: a row has no image id.
        """
        if self._misses:
            for stream in self._streams:
                while stream.next_rows() is not None:
                    pass


class _Stream:
    """One sorted stream, read as far as the images asked for."""

    def __init__(self, rows: Iterator[pa.Table]) -> None:
        self._rows = rows
        self._held: pa.Table = SCHEMA.empty_table()
        self._last = ""

    def rows_of(self, image_ids: pa.Array) -> pa.Table:
        """Return the rows of a block of ids; what comes after them is held for the next block."""
        parts = [self._held]
        while self._last <= image_ids[-1].as_py():
            rows = self.next_rows()
            if rows is None:
                break
            # What this block passes by is not held: its images are not in the pool.
            ids = rows.column("image_id")
            is_later = pc.greater(ids, image_ids[-1])
            parts.append(rows.filter(pc.or_(pc.is_in(ids, image_ids), is_later)))
        held = pa.concat_tables(parts).combine_chunks()
        is_later = pc.greater(held.column("image_id"), image_ids[-1])
        self._held = held.filter(is_later)
        return held.filter(pc.invert(is_later))

    def next_rows(self) -> pa.Table | None:
        """Return the next rows, checked for their ids and order, or None at the end."""
        for rows in self._rows:
            if not rows.num_rows:
                continue
            ids = rows.column("image_id").combine_chunks()
            if ids.null_count:
                raise MalformedError
            in_order = pc.all(pc.less_equal(ids[:-1], ids[1:]), min_count=0)
            if not in_order.as_py() or ids[0].as_py() < self._last:
                raise NotSortedError
            self._last = ids[-1].as_py()
            return rows
        return None
