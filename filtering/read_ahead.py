"""An iterator worked on in a thread of its own, a few items ahead of who reads it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")

_AHEAD = 4  # batches of DuckDB's, some 10 MB each


@contextmanager
def read_ahead(items: Iterator[Item], ahead: int = _AHEAD) -> Iterator[Iterator[Item]]:
    """Give `items` in order; what making one raises is raised at its place.

    DuckDB rests while nobody fetches: without this, reading and assembling would take turns.
    A context, so that its thread ends where the reader ends. An abandoned generator would end
    whenever garbage is collected, in any thread, and wait for a thread that may wait for that one.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as thread:
        coming = deque(thread.submit(next, items, None) for _ in range(ahead))

        def in_order() -> Iterator[Item]:
            while (item := coming.popleft().result()) is not None:
                coming.append(thread.submit(next, items, None))
                yield item

        try:
            yield in_order()
        finally:
            for future in coming:
                future.cancel()
