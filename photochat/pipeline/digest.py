"""What a file or a folder holds, as one hash: the same for the same content, wherever it lies."""

from __future__ import annotations

import functools
import hashlib
import os
import stat
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import msgspec

from photochat import __version__

MISSING = "missing"
_CHUNK = 1 << 20
# Of the package `photochat`: what decides no stage's result.
_APART = {"cli", "pipeline", "sample", "__pycache__"}


class Seen(msgspec.Struct, frozen=True):
    """What stood at a path when it was read: sizes and times of its files, and their content."""

    stamp: str
    content: str


def content_of(path: Path, seen: dict[str, Seen], name: str) -> str:
    """Return the hash of a file, or of all files below a folder with their names; or `MISSING`.

    `seen` remembers by `name` what was read before: while sizes and times of change are the same,
    nothing is read again. Links are followed; those that lead nowhere do not count, nor do hidden
    files (half-written ones, caches). With a SQLite database counts what is written ahead of it.
    """
    if not path.exists():
        seen.pop(name, None)
        return MISSING
    files = [(str(file.relative_to(path)), file, about) for file, about in sorted(_files(path))]
    if path.is_file():
        ahead = _files(Path(f"{path}-wal"))
        files += [("-wal", file, about) for file, about in ahead if about.st_size]
    stamp = hashlib.sha256()
    for inner, _, about in files:
        stamp.update(f"{inner}\0{about.st_size}\0{about.st_mtime_ns}\0".encode())
    before = seen.get(name)
    if before is not None and before.stamp == stamp.hexdigest():
        return before.content
    content = hashlib.sha256()
    for inner, file, _ in files:
        content.update(f"{inner}\0{_hash(file)}\0".encode())
    seen[name] = Seen(stamp.hexdigest(), content.hexdigest())
    return content.hexdigest()


@functools.cache
def toolkit_of(package: str) -> str:
    """Return the version of one of the toolkit's packages, with a hash of its source.

    The package is found, not imported. What all stages share counts for each.
    """
    digest = hashlib.sha256()
    for name in sorted({"photochat", package}):
        spec = find_spec(name)
        assert spec is not None
        for root in spec.submodule_search_locations or ():
            for file in sorted(Path(root).rglob("*")):
                parts = file.relative_to(root).parts
                if _APART.isdisjoint(parts) and file.is_file():
                    digest.update(f"{name}/{'/'.join(parts)}\0".encode())
                    digest.update(file.read_bytes())
    return f"{__version__}+{digest.hexdigest()[:16]}"


def _files(
    path: Path, above: frozenset[tuple[int, int]] = frozenset()
) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield a file, or those below a folder; `above` are the folders on the way to it."""
    try:
        about = path.stat()
        inside = list(path.iterdir()) if stat.S_ISDIR(about.st_mode) else ()
    except OSError:  # a link that leads nowhere, gone in between, or closed to us
        return
    if stat.S_ISREG(about.st_mode):
        yield path, about
    here = (about.st_dev, about.st_ino)
    if inside and here not in above:
        for item in inside:
            if not item.name.startswith("."):
                yield from _files(item, above | {here})


def _hash(file: Path) -> str:
    digest = hashlib.sha256()
    try:
        with file.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
    except FileNotFoundError:  # gone since it was looked at
        return MISSING
    return digest.hexdigest()
