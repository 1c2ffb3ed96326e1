"""Arrays kept by what they were made from: rows of one shape in one growing file.

FOLDER/rows.bin holds the rows, FOLDER/journal.jsonl one line a key: the row it has, or why it has
none. Rows are on the disk before their lines, so whatever interrupts the writing, each line tells
the truth and what it does not name is made again. A lock lets one process write at a time.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import DTypeLike, NDArray

from photochat.errors import UNDECODABLE, DataError

ROWS = "rows.bin"
JOURNAL = "journal.jsonl"
LOCK = ".lock"


class _Line(msgspec.Struct, frozen=True, omit_defaults=True):
    key: str
    row: int = -1
    problem: str = ""


class RowCache:
    """Rows of `shape` and `dtype` under `folder`, found by key.

    Raises:
        DataError: the folder cannot be made.
    """

    def __init__(self, folder: Path, shape: Sequence[int], dtype: DTypeLike) -> None:
        self.folder = folder
        self.shape = tuple(shape)
        self.dtype = np.dtype(dtype)
        self._row_of: dict[str, int] = {}
        self._problem_of: dict[str, str] = {}
        with self._tells():
            folder.mkdir(parents=True, exist_ok=True)
        self._read()

    def row_of(self, key: str) -> int:
        """Return the row of a key; -1 where it has none, or is not known."""
        return self._row_of.get(key, -1)

    def problem_of(self, key: str) -> str:
        """Return why a key has no row; "" where it has one, or is not known."""
        return self._problem_of.get(key, "")

    def __contains__(self, key: str) -> bool:
        return key in self._row_of or key in self._problem_of

    def array(self) -> NDArray[np.generic]:
        """Return all rows, (rows, *shape), mapped into memory; not to be written to."""
        count = self._rows_on_disk()
        if not count:
            return np.zeros((0, *self.shape), self.dtype)
        return np.memmap(self.folder / ROWS, dtype=self.dtype, mode="r", shape=(count, *self.shape))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let nobody else write meanwhile; what others wrote until now is known afterwards.

        Raises:
            DataError: the folder cannot be written.
        """
        with self._tells():
            handle = os.open(self.folder / LOCK, os.O_CREAT | os.O_RDWR, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            self._read()
            yield
        finally:
            os.close(handle)

    def add(
        self, keys: Sequence[str], rows: NDArray[np.generic], problems: dict[str, str] | None = None
    ) -> None:
        """Add a row for each of `keys`, (keys, *shape), and problems by key; locked only.

        Raises:
            DataError: the disk is full, or the folder cannot be written.
        """
        assert rows.shape == (len(keys), *self.shape)
        first = self._used()
        lines = [_Line(key, first + i) for i, key in enumerate(keys)]
        lines += [_Line(key, problem=text) for key, text in (problems or {}).items()]
        with self._tells():
            if len(keys):
                file = self.folder / ROWS
                with file.open("r+b" if file.exists() else "w+b") as out:
                    out.seek(first * self._bytes_a_row)
                    out.write(np.ascontiguousarray(rows, dtype=self.dtype).data)
                    out.flush()
                    os.fsync(out.fileno())
            with (self.folder / JOURNAL).open("ab") as out:
                out.write(msgspec.json.Encoder().encode_lines(lines))
        self._know(lines)

    @property
    def _bytes_a_row(self) -> int:
        return int(np.prod(self.shape)) * self.dtype.itemsize

    def _used(self) -> int:
        """Return how many rows the journal speaks of; what lies behind them is free."""
        return max(self._row_of.values(), default=-1) + 1

    def _rows_on_disk(self) -> int:
        file = self.folder / ROWS
        return file.stat().st_size // self._bytes_a_row if file.exists() else 0

    def _read(self) -> None:
        self._row_of, self._problem_of = {}, {}
        file = self.folder / JOURNAL
        if not file.exists():
            return
        data = file.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        if whole != data:  # a process was killed while it wrote the last line
            with self._tells(), file.open("r+b") as out:
                out.truncate(len(whole))
        try:
            lines = msgspec.json.Decoder(_Line).decode_lines(whole)
        except UNDECODABLE as error:
            raise DataError(f"is damaged ({error}): remove the folder", file=file) from error
        there = self._rows_on_disk()
        self._know([line for line in lines if line.row < there])

    def _know(self, lines: Sequence[_Line]) -> None:
        for line in lines:
            if line.row >= 0:
                self._row_of[line.key] = line.row
            else:
                self._problem_of[line.key] = line.problem

    @contextmanager
    def _tells(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise DataError(
                f"cannot be written ({error.strerror or error})", file=self.folder
            ) from error
