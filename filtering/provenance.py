"""What a result was made from: the inputs' sizes and SHA-256, taken while the work goes on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import msgspec

_CHUNK = 1 << 20


class Input(msgspec.Struct, frozen=True):
    """One input file: what it was given as, its name, its size in bytes and its hash."""

    role: str
    file: str
    bytes: int
    sha256: str


@contextmanager
def hashed_aside(files: Sequence[tuple[str, Path]]) -> Iterator[Future[list[Input]]]:
    """Hash (role, path) pairs in a thread of their own; `hashlib` works outside the lock.

    An exception in the block ends the hashing soon.
    """
    stop: list[bool] = []
    with ThreadPoolExecutor(1, thread_name_prefix="sha256") as pool:
        try:
            yield pool.submit(lambda: [_hash(role, path, stop) for role, path in files])
        finally:
            stop.append(True)


def _hash(role: str, path: Path, stop: list[bool]) -> Input:
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as file:
        while not stop and (chunk := file.read(_CHUNK)):
            digest.update(chunk)
            size += len(chunk)
    return Input(role, path.name, size, digest.hexdigest())
