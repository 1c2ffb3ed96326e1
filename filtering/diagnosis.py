"""Where exactly an input is wrong: read again in plain Python once an engine has stumbled.

An engine only says that something is; this says which file and row, in our words, whichever engine
it was. A row's number counts the rows under the header; the line is the file's own.
"""

from __future__ import annotations

import csv
import gzip
import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from filtering.open_images import (
    BOX_COLUMNS,
    COLUMNS,
    Kind,
    is_gzip,
    open_text,
    read_header,
)
from filtering.query import COORDINATES, FLAGS, FRAME_TOLERANCE
from photochat.errors import DataError

_CHUNK = 1 << 22
NUMBERS = {*COORDINATES, "confidence", "rotation"}
_MAY_BE_EMPTY = {"rotation", "source", "subset", "url", "landing_url", "license", "author", "title"}


def check_rows(files: Iterable[Path], kind: Kind) -> None:
    """Read files row by row and stop at the first row that cannot be read.

    Raises:
        DataError: naming the file, the row and the column.
    """
    for path in files:
        for _ in _rows(path, kind):
            pass


def place_of(
    what: str, image_id: str, files: Sequence[Path], class_ids: Collection[str]
) -> str | None:
    """Return where an image's first box in trouble stands, as "file: row N (line M)".

    `what` is the tally's name for the trouble. Files are searched as bytes for the image's rows:
    box annotations have no line breaks within cells.
    """
    seen: set[tuple[str, ...]] = set()
    for path in files:
        header = read_header(path, "boxes")
        for number, line in _lines_starting(path, f"{image_id},".encode()):
            row = dict(zip(header, next(csv.reader([line])), strict=True))
            x_min, x_max, y_min, y_max = (float(row[BOX_COLUMNS[name]]) for name in COORDINATES)
            in_frame = _in_frame(x_min, x_max) and _in_frame(y_min, y_max)
            class_id = row["LabelName"]
            where = f"{path.name}: row {number - 1} (line {number})"
            fields = tuple(row[original] for original in BOX_COLUMNS.values())
            if what == "boxes out of frame" and not in_frame:
                return where
            if what == "boxes of unknown class" and in_frame and class_id not in class_ids:
                return f"{where}, {class_id}"
            if what == "boxes repeated" and fields in seen:
                return where
            seen.add(fields)
    return None


def _lines_starting(path: Path, start: bytes) -> Iterator[tuple[int, str]]:
    """Yield number and text of the lines that begin with `start`, at the speed of reading."""
    needle = b"\n" + start
    number, rest = 0, b"\n"  # lines before `rest`, which begins with the break before its line
    with gzip.open(path, "rb") if is_gzip(path) else path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            block, line_break, tail = (rest + chunk).rpartition(b"\n")
            at, counted = 0, 0
            while (found := block.find(needle, at)) >= 0:
                number += block.count(b"\n", counted, found + 1)
                at = counted = found + 1
                yield number, block[at:].partition(b"\n")[0].decode()
            number += block.count(b"\n", counted)
            rest = line_break + tail
        if rest.startswith(needle):
            yield number + 1, rest[1:].decode()


def _in_frame(low: float, high: float) -> bool:
    return -FRAME_TOLERANCE <= low <= high <= 1 + FRAME_TOLERANCE


def _rows(path: Path, kind: Kind) -> Iterator[tuple[str, dict[str, str]]]:
    header = read_header(path, kind)
    places = {
        name: header.index(original)
        for name, original in COLUMNS[kind].items()
        if original in header
    }
    with open_text(path) as text:
        rows = csv.reader(text)
        next(rows)
        for number, cells in enumerate(rows, start=1):
            where = f"row {number} (line {rows.line_num})"
            if len(cells) != len(header):
                raise DataError(
                    f"{len(cells)} cells, but the header names {len(header)}",
                    file=path,
                    record=where,
                )
            row = {name: cells[place] for name, place in places.items()}
            for name, cell in row.items():
                problem = _problem(name, cell)
                if problem:
                    raise DataError(
                        f"{problem}: {cell!r}", file=path, record=where, field=COLUMNS[kind][name]
                    )
            yield where, row


def _problem(name: str, cell: str) -> str | None:
    if not cell.strip():
        return None if name in _MAY_BE_EMPTY else "is empty"
    if name in FLAGS:
        try:
            return None if int(cell) in (-1, 0, 1) else "not -1, 0 or 1"
        except ValueError:
            return "not -1, 0 or 1"
    if name in NUMBERS:
        try:
            return None if math.isfinite(float(cell)) else "not a finite number"
        except ValueError:
            return "not a number"
    return None
