"""Outputs that are either whole or absent, whatever interrupts the writing."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from photochat.errors import DataError

# Nobody opens a private file between its making and our closing it, which would drop their locks.
_MAKING = threading.Lock()


@contextmanager
def atomic_file(path: str | os.PathLike[str], *, private: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` if the block ends well.

    A `private` file, one that says who did or wrote what, is its owner's alone whatever the umask;
    any other is as readable as the umask has it.

    The folder is made when missing. On any exception the temporary file is removed and whatever
    stood at `path` before stands there still. The file is synced to disk before the rename.

    Raises:
        DataError: the folder cannot be made or written, or the disk is full.
    """
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            prefix=f".{target.name}.", suffix=".part", dir=target.parent
        )
        os.close(handle)
    except OSError as error:
        raise _cannot_write(target, error) from error
    part = Path(name)
    try:
        yield part
        _sync(part)
        part.chmod(0o600 if private else 0o666 & ~_umask())
        part.replace(target)
        _sync(target.parent)
    except OSError as error:
        raise _cannot_write(target, error) from error
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: str | os.PathLike[str], *, replace: bool = False) -> Iterator[Path]:
    """Yield a temporary folder beside `path`; rename it to `path` if the block ends well.

    A folder that already stands at `path` must be empty, so that no earlier output is mixed with
    a new one or lost; with `replace` it is removed once the new one is whole.

    Raises:
        DataError: `path` is a file or a folder that is not empty, or it cannot be written.
    """
    target = Path(path)
    try:
        if target.exists() and not target.is_dir():
            raise DataError("is a file: name a folder", file=target)
        if not replace and target.exists() and any(target.iterdir()):
            raise DataError("is not empty: name another folder, or add --force", file=target)
        target.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent))
    except OSError as error:
        raise _cannot_write(target, error) from error
    try:
        yield part
        for file in part.rglob("*"):
            _sync(file)
        part.chmod(0o777 & ~_umask())
        old = Path(f"{part}.old")
        if target.exists():
            target.rename(old)
        part.rename(target)
        _sync(target.parent)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise _cannot_write(target, error) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def make_private(path: str | os.PathLike[str]) -> None:
    """Make a file that is its owner's alone, whatever the umask; one that is there stays as it is.

    For files that somebody else opens and that grow: databases, logs, diaries. A file that is there
    is not even opened: to close it would drop every lock that this process holds on it, SQLite's
    among them (https://sqlite.org/howtocorrupt.html, section 2.2).

    Raises:
        OSError: it cannot be made.
    """
    with _MAKING, suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _cannot_write(target: Path, error: OSError) -> DataError:
    return DataError(f"cannot be written ({error.strerror or error})", file=target)
