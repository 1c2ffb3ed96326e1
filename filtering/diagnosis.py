"""Where exactly an input is wrong: read again in plain Python once an engine has stumbled.

An engine only says that something is; this says which file and row, in our words, whichever engine
it was. A row's number counts the rows under the header; the line is the file's own.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from filtering.open_images import COLUMNS, Kind, open_text, read_header
from filtering.query import COORDINATES, FLAGS, FRAME_TOLERANCE
from photochat.errors import DataError

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


def first_of_each(
    files: Sequence[Path], class_ids: Collection[str], wanted: Collection[str]
) -> dict[str, str]:
    """Return where the first box of each wanted kind of trouble stands, as "file: row N (line M)".

    The kinds are the tally's: "boxes out of frame", "boxes of unknown class", "boxes repeated".
    """
    found: dict[str, str] = {}
    seen: set[tuple[str, ...]] = set()
    for path in files:
        for where, row in _rows(path, "boxes"):
            x_min, x_max, y_min, y_max = (float(row[name]) for name in COORDINATES)
            trouble = None
            if not (_in_frame(x_min, x_max) and _in_frame(y_min, y_max)):
                trouble = "boxes out of frame"
            elif row["class_id"] not in class_ids:
                trouble = "boxes of unknown class"
                where = f"{where}, {row['class_id']}"
            elif "boxes repeated" in wanted and "boxes repeated" not in found:
                fields = tuple(row.values())
                trouble = "boxes repeated" if fields in seen else None
                seen.add(fields)
            if trouble in wanted and trouble not in found:
                found[str(trouble)] = f"{path.name}: {where}"
                if len(found) == len(wanted):
                    return found
    return found


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
