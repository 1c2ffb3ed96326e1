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
_PAGE_BATCH = 1 << 16  # values encoded at once; the default of 1,024 takes a fifth longer


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
        write_batch_size=_PAGE_BATCH,
        # Minima and maxima of 22 columns take a quarter of the time, and only this one is sorted.
        write_statistics=["photo_id"],
        # The schema in the file would say "dictionary" where readers expect strings.
        store_schema=False,
    )
