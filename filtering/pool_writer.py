"""Writing a pool block by block, beside the work that makes the blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from photochat.pool import POOL_SCHEMA

_WAITING = 2  # blocks held for the writing thread: more would only take memory
_ROW_GROUP = 30_000  # photos at least, where a block has fewer
# Coordinates hardly compress and are nearly all different: a dictionary of them costs time.
_DICTIONARY = [
    *("license", "labels.list.element", "themes.list.element", "qualifying.list.element"),
    *(
        f"boxes.list.element.{field.name}"
        for field in POOL_SCHEMA.field("boxes").type.value_type
        if not pa.types.is_floating(field.type) and not pa.types.is_boolean(field.type)
    ),
]


@contextmanager
def pool_writer(path: Path) -> Iterator[Callable[[pa.Table], None]]:
    """Yield a function that writes a table of `POOL_SCHEMA`'s columns in a thread of its own.

    Lists and labels may be dictionary-encoded; the file holds plain strings all the same.

    Raises:
        OSError: the disk is full; at the latest when the block ends.
    """
    pending: list[Future[None]] = []
    gathered: list[pa.Table] = []
    writer: pq.ParquetWriter | None = None

    def flush() -> None:
        nonlocal writer
        if not gathered:
            return
        table = pa.concat_tables(gathered)
        gathered.clear()
        if writer is None:
            writer = _open(path, table.schema)
        while len(pending) >= _WAITING:
            pending.pop(0).result()
        pending.append(thread.submit(writer.write_table, table))

    def write(table: pa.Table) -> None:
        gathered.append(table)
        if sum(part.num_rows for part in gathered) >= _ROW_GROUP:
            flush()

    with ThreadPoolExecutor(1, thread_name_prefix="pool-writer") as thread:
        try:
            yield write
            flush()
            for future in pending:
                future.result()
            if writer is None:
                writer = _open(path, POOL_SCHEMA)
        finally:
            thread.shutdown(cancel_futures=True)
            if writer is not None:
                writer.close()


def _open(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    return pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        compression_level=1,
        use_dictionary=_DICTIONARY,
        # The schema in the file would say "dictionary" where readers expect strings.
        store_schema=False,
    )
