"""Open Images' own files, V4 to V7, plain or gzip: which is which, and what is wrong with one."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TextIO

from filtering.hierarchy import ROOT, Parents, parents_in
from photochat.errors import DataError

Kind = Literal["boxes", "classes", "metadata", "image labels"]

# The columns read, by what the pool calls them. V5 and later add XClick1X ... XClick4Y to boxes.
BOX_COLUMNS = {
    "image_id": "ImageID",
    "class_id": "LabelName",
    "x_min": "XMin",
    "x_max": "XMax",
    "y_min": "YMin",
    "y_max": "YMax",
    "is_occluded": "IsOccluded",
    "is_truncated": "IsTruncated",
    "is_group_of": "IsGroupOf",
    "is_depiction": "IsDepiction",
    "is_inside": "IsInside",
}
IMAGE_LABEL_COLUMNS = {
    "image_id": "ImageID",
    "source": "Source",
    "class_id": "LabelName",
    "confidence": "Confidence",
}
METADATA_COLUMNS = {
    "image_id": "ImageID",
    "subset": "Subset",
    "url": "OriginalURL",
    "landing_url": "OriginalLandingURL",
    "license": "License",
    "author": "Author",
    "title": "Title",
    "rotation": "Rotation",
}
COLUMNS: dict[Kind, dict[str, str]] = {
    "boxes": BOX_COLUMNS,
    "image labels": IMAGE_LABEL_COLUMNS,
    "metadata": METADATA_COLUMNS,
}
# The first lists of image URLs had no rotation; a file need not have what only adorns the pool.
OPTIONAL_COLUMNS = {"Subset", "OriginalLandingURL", "License", "Author", "Title", "Rotation"}

_OPTION = {
    "boxes": "--boxes",
    "classes": "--classes",
    "metadata": "--metadata",
    "image labels": "--image-labels",
}
_GZIP_MAGIC = b"\x1f\x8b"
_CLASS_ID = re.compile(r"/[a-z]/\w+")
_SUBSET = re.compile(r"(?:^|[^a-z])(train|validation|test)(?:[^a-z]|$)", re.IGNORECASE)


def is_gzip(path: str | Path) -> bool:
    """Return whether the file's first bytes are gzip's, whatever its name.

    Raises:
        DataError: the file is missing or cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            return file.read(2) == _GZIP_MAGIC
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", file=path) from error


@contextmanager
def open_text(path: str | Path) -> Iterator[TextIO]:
    """Open a plain or gzip file as UTF-8 text, for `csv` and `json`.

    Raises:
        DataError: now or while reading: the file is missing, truncated, no gzip, or not UTF-8.
    """
    try:
        with (
            gzip.open(path, "rb") if is_gzip(path) else Path(path).open("rb") as raw,
            io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as text,
        ):
            yield text
    except EOFError as error:
        raise DataError("the gzip file is truncated: fetch it again", file=path) from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"the gzip file is damaged: fetch it again ({error})", file=path) from error
    except UnicodeDecodeError as error:
        raise DataError("is not UTF-8 text", file=path) from error
    except csv.Error as error:
        raise DataError(f"is no CSV ({error})", file=path) from error


def read_header(path: str | Path, kind: Kind) -> tuple[str, ...]:
    """Return the header of a CSV given as `kind`, after checking that it is one.

    Raises:
        DataError: the file is empty, is another of Open Images' files, or lacks a column.
    """
    with open_text(path) as text:
        header = tuple(name.strip() for name in next(csv.reader(text), []))
    if not header:
        raise DataError("is empty", file=path)
    found = kind_of(header)
    if found is not None and found != kind:
        raise DataError(f"holds {found}, not {kind}: give it with {_OPTION[found]}", file=path)
    wanted = [name for name in COLUMNS[kind].values() if name not in OPTIONAL_COLUMNS]
    missing = [name for name in wanted if name not in header]
    if missing:
        raise DataError(
            f"no column {', '.join(missing)}: {kind} have {', '.join(wanted)}; this file has"
            f" {', '.join(header[:12])}{' ...' if len(header) > 12 else ''}",
            file=path,
            record="header",
        )
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise DataError(f"column {repeated[0]} stands twice", file=path, record="header")
    return header


def kind_of(header: Sequence[str]) -> Kind | None:
    """Return which of the files a first line belongs to, or None when it is none of them."""
    names = set(header)
    if {"XMin", "XMax", "YMin", "YMax"} <= names and "LabelName1" not in names:
        return "boxes"
    if {"ImageID", "OriginalURL"} <= names:
        return "metadata"
    if (
        {"ImageID", "LabelName", "Confidence"} <= names
        and "MaskPath" not in names
        and not any(name.startswith("X") for name in names)
    ):
        return "image labels"
    is_pair = len(header) == 2
    if is_pair and (_CLASS_ID.fullmatch(header[0]) or list(header) == ["LabelName", "DisplayName"]):
        return "classes"
    return None


def read_classes(paths: Sequence[str | Path]) -> dict[str, str]:
    """Read class descriptions (class id, name), with or without a header line.

    Where two files name a class differently, the first one given is right.

    Raises:
        DataError: a file is empty or no class description, or names a class twice.
    """
    names: dict[str, str] = {}
    for path in paths:
        here: dict[str, str] = {}
        with open_text(path) as text:
            rows = csv.reader(text)
            for row in rows:
                if rows.line_num == 1:
                    found = kind_of(row)
                    if found is not None and found != "classes":
                        raise DataError(
                            f"holds {found}, not classes: give it with {_OPTION[found]}", file=path
                        )
                    if row == ["LabelName", "DisplayName"]:
                        continue
                if not row:
                    continue
                where = f"line {rows.line_num}"
                if len(row) != 2 or not _CLASS_ID.fullmatch(row[0]) or not row[1].strip():
                    raise DataError(
                        f"not a class id and a name: {','.join(row)[:60]!r}",
                        file=path,
                        record=where,
                    )
                if here.setdefault(row[0], row[1].strip()) != row[1].strip():
                    raise DataError(
                        f"{row[0]} has a second name, {row[1]!r}", file=path, record=where
                    )
        if not here:
            raise DataError("is empty", file=path)
        names = here | names
    return names


def read_hierarchy(path: str | Path) -> Parents:
    """Read the class hierarchy.

    Raises:
        DataError: the file is empty, not JSON, or not a class hierarchy.
    """
    with open_text(path) as text:
        content = text.read()
    if not content.strip():
        raise DataError("is empty", file=path)
    try:
        tree = json.loads(content)
    except json.JSONDecodeError as error:
        raise DataError(
            f"is no JSON ({error.msg}): the class hierarchy is bbox_labels_600_hierarchy.json",
            file=path,
            record=f"line {error.lineno}",
        ) from error
    except (ValueError, RecursionError) as error:  # thousands of digits or brackets
        raise DataError(f"is not Open Images' class hierarchy: {error}", file=path) from error
    try:
        if not isinstance(tree, Mapping) or tree.get("LabelName") != ROOT:
            raise ValueError(f"its root is not {ROOT}")
        return parents_in(tree)
    except (ValueError, TypeError) as error:
        raise DataError(f"is not Open Images' class hierarchy: {error}", file=path) from error


def subset_of(path: str | Path) -> str | None:
    """Return the subset that a file's name tells: "train-annotations-bbox.csv" -> "train"."""
    found = _SUBSET.search(Path(path).name)
    return found.group(1).lower() if found else None
