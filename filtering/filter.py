"""`photochat filter`: from Open Images' files to `pool.parquet` and `pool.report.json`."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from filtering.assembly import Block, MalformedError, NotSortedError, Tally, assemble
from filtering.class_table import ClassTable, class_table
from filtering.diagnosis import check_rows, place_of
from filtering.duckdb_engine import selected_records
from filtering.metadata import SCHEMA as METADATA_SCHEMA
from filtering.metadata import MetadataWalk, metadata_rows
from filtering.open_images import (
    Kind,
    read_classes,
    read_header,
    read_hierarchy,
    subset_of,
)
from filtering.pool_writer import pool_writer
from filtering.provenance import hashed_aside
from filtering.query import Rules
from filtering.read_ahead import read_ahead
from filtering.report import FilterReport, funnel_of, label_counts, theme_counts, warnings_of
from filtering.spark_engine import SparkFailedError, selected_blocks
from photochat import __version__
from photochat.atomic import atomic_file
from photochat.errors import DataError
from photochat.pool import POOL_SCHEMA
from photochat.themes import THEME_LABELS

Engine = Literal["duckdb", "spark"]
ENGINES: tuple[Engine, ...] = get_args(Engine)
MEMORY_LIMIT = "800MB"  # DuckDB's share; with blocks and writing the process stays below 1.5 GB

Say = Callable[[str], None]


@dataclass(frozen=True)
class Inputs:
    """The files of a run; only boxes and classes are needed for a pool."""

    boxes: tuple[Path, ...]
    classes: tuple[Path, ...]
    hierarchy: Path | None = None
    metadata: tuple[Path, ...] = ()
    image_labels: tuple[Path, ...] = ()

    def by_role(self) -> list[tuple[str, Path]]:
        """Return (role, path) of every file."""
        roles = [("boxes", path) for path in self.boxes]
        roles += [("classes", path) for path in self.classes]
        roles += [("hierarchy", self.hierarchy)] if self.hierarchy else []
        roles += [("metadata", path) for path in self.metadata]
        return roles + [("image labels", path) for path in self.image_labels]


def filter_photos(
    inputs: Inputs,
    out: str | Path,
    *,
    rules: Rules | None = None,
    subset: str | None = None,
    engine: Engine = "duckdb",
    memory_limit: str = MEMORY_LIMIT,
    say: Say = lambda line: None,
) -> FilterReport:
    """Select photos as the paper's section 3.1 does; write the pool and, beside it, its report.

    Photos stand in the order of the subsets' files, then of their image ids. A photo's subset is
    what the metadata says, else `subset`, else what the file's name says. `say` is told in one
    line each what else a user should know.

    Raises:
        DataError: an input is unusable, an option makes no sense, or the output cannot be written.
            Nothing is written then.
    """
    out = Path(out)
    rules = rules or Rules()
    if rules.label_source != "boxes" and not inputs.image_labels:
        raise DataError("boxes+image-labels needs --image-labels", field="--label-source")
    for kind, files in _tables(inputs):
        for path in files:
            read_header(path, kind)
    names, parents, notes = _read_classes(inputs)
    groups, unread = _group(inputs, subset)
    notes += unread
    classes = class_table(names, parents)
    report_path = out.with_name(f"{out.stem}.report.json")
    with (
        hashed_aside(inputs.by_role()) as hashes,
        atomic_file(report_path) as report_part,
        atomic_file(out) as part,
        tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as spill,
    ):
        run = _Run(inputs, rules, classes, engine, memory_limit, Path(spill))
        tally, first_images = _write(run, groups, part, notes)
        if tally["boxes of unknown class", ""] == tally["boxes read", ""] > 0:
            raise DataError(
                "names none of the boxes' classes: is it of another release?",
                file=inputs.classes[0],
            )
        examples = {
            what: place
            for what, image_id in first_images.items()
            if (place := place_of(what, image_id, inputs.boxes, names)) is not None
        }
        warnings = warnings_of(tally, examples, notes)
        report = FilterReport(
            toolkit=__version__,
            engine=engine,
            options={**asdict(rules), "subset": subset},
            inputs=hashes.result(),
            funnel=funnel_of(tally),
            themes=theme_counts(tally),
            labels=label_counts(tally),
            warnings=warnings,
        )
        encoded = msgspec.json.format(msgspec.json.encode(report), indent=2)
        report_part.write_bytes(encoded + b"\n")
    for line in warnings:
        say(line)
    return report


@dataclass(frozen=True)
class _Run:
    """What stays the same whichever way the rows are read."""

    inputs: Inputs
    rules: Rules
    classes: ClassTable
    engine: Engine
    memory_limit: str
    spill: Path


def _read_classes(inputs: Inputs) -> tuple[dict[str, str], dict[str, frozenset[str]], list[str]]:
    names = read_classes(inputs.classes)
    if not any(label.class_id in names for label in THEME_LABELS):
        raise DataError("names no label of Table 5: is it the boxes' own?", file=inputs.classes[0])
    if inputs.hierarchy is not None:
        return names, dict(read_hierarchy(inputs.hierarchy)), []
    return names, {}, ["no --hierarchy: a Dog is no Animal, a label counts only for itself"]


@dataclass(frozen=True)
class _Group:
    """The files of one subset."""

    subset: str | None
    boxes: list[Path]
    labels: list[Path]


def _group(inputs: Inputs, subset: str | None) -> tuple[list[_Group], list[str]]:
    """Group box and image label files by the subset they are of: each is read on its own.

    Also say which label files are of no subset that has boxes.
    """
    if subset is not None and (not subset or "/" in subset):
        raise DataError(f"no name of a subset: {subset!r}", field="--subset")
    boxes: dict[str | None, list[Path]] = {}
    for path in inputs.boxes:
        boxes.setdefault(subset or subset_of(path), []).append(path)
    if None in boxes and not inputs.metadata:
        raise DataError(
            "its name tells no subset (train, validation, test): give --subset or --metadata",
            file=boxes[None][0],
        )
    if len(boxes) == 1:
        return [_Group(name, files, list(inputs.image_labels)) for name, files in boxes.items()], []
    unread: list[str] = []
    labels: dict[str | None, list[Path]] = {}
    for path in inputs.image_labels:
        name = subset_of(path)
        if name in boxes:
            labels.setdefault(name, []).append(path)
        elif name is None:
            raise DataError(
                "its name tells no subset (train, validation, test), and the boxes are of several",
                file=path,
            )
        else:
            unread.append(f"{path.name} is not read: there are no boxes of {name}")
    return [_Group(name, files, labels.get(name, [])) for name, files in boxes.items()], unread


def _tables(inputs: Inputs) -> list[tuple[Kind, tuple[Path, ...]]]:
    return [
        ("boxes", inputs.boxes),
        ("image labels", inputs.image_labels),
        ("metadata", inputs.metadata),
    ]


def _write(
    run: _Run, groups: Sequence[_Group], part: Path, notes: list[str]
) -> tuple[Tally, dict[str, str]]:
    """Write the pool from rows as they stand; start again in order if they are not sorted."""
    in_order = bool(run.inputs.image_labels)
    while True:
        tally: Tally = Counter()
        first_images: dict[str, str] = {}
        try:
            with pool_writer(part) as write:
                for group in groups:
                    found = _photos(run, group, in_order, tally, first_images)
                    with closing(found):
                        for photos in found:
                            write(photos)
            return tally, first_images
        except NotSortedError:
            in_order = True
            notes.append("rows do not come sorted by image: sorted first, which takes longer")
        except (MalformedError, SparkFailedError, duckdb.Error) as error:
            for kind, paths in _tables(run.inputs):
                check_rows(paths, kind)
            if isinstance(error, duckdb.OutOfMemoryException):
                raise DataError("out of memory: give more", field="--memory-limit") from error
            raise DataError(f"{run.engine} cannot go on ({str(error).splitlines()[0]})") from error


def _photos(
    run: _Run, group: _Group, in_order: bool, tally: Tally, first_images: dict[str, str]
) -> Generator[pa.Table, None, None]:
    walk = None
    if run.inputs.metadata:
        walk = MetadataWalk(
            metadata_rows(
                run.inputs.metadata,
                in_order=in_order,
                memory_limit=run.memory_limit,
                spill=run.spill,
            )
        )
    with closing(_blocks(run, group.boxes, group.labels, in_order)) as blocks:
        for block in blocks:
            tally.update(block.tally)
            for what, image_id in block.troubles.items():
                first_images.setdefault(what, image_id)
            if block.photos.num_rows:
                yield _finished(block.photos, walk, group.subset, tally)
    if walk is not None:
        walk.finish()


def _blocks(
    run: _Run, boxes: Sequence[Path], labels: Sequence[Path], in_order: bool
) -> Generator[Block, None, None]:
    if run.engine == "spark":
        yield from selected_blocks(boxes, labels, run.classes, run.rules)
        return
    records = selected_records(
        boxes,
        labels,
        run.classes,
        run.rules,
        in_order=in_order,
        memory_limit=run.memory_limit,
        spill=run.spill,
    )
    with read_ahead(records) as coming:
        yield from assemble(coming, run.classes)


def _finished(
    photos: pa.Table, walk: MetadataWalk | None, subset: str | None, tally: Tally
) -> pa.Table:
    """Add where the photos come from; columns in the order of `POOL_SCHEMA`."""
    ids = photos.column("image_id").combine_chunks()
    if walk is None:
        found = pa.table({f.name: pa.nulls(len(ids), f.type) for f in METADATA_SCHEMA})
    else:
        found = walk.of(ids)
        tally["photos without metadata", ""] += found.column("image_id").null_count
    subsets = pc.coalesce(found.column("subset"), pa.scalar(subset, pa.string()))
    if subsets.null_count:
        image_id = ids.filter(pc.is_null(subsets).combine_chunks())[0].as_py()
        raise DataError(
            "its subset is told neither by the metadata nor by the file's name: give --subset",
            record=f"image {image_id}",
        )
    photo_ids = pc.binary_join_element_wise(subsets, ids, "/")
    columns = {
        **{name: found.column(name) for name in found.column_names},
        **{name: photos.column(name) for name in photos.column_names},
        "photo_id": photo_ids,
    }
    return pa.table({name: columns[name] for name in POOL_SCHEMA.names})
