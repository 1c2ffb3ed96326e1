"""From the query's rows, image by image, to rows of the pool.

The rows of one image stand together and images ascend, so that a photo's lists are runs of rows:
nothing is hashed or aggregated, and only one block is in memory. DuckDB's blocks and Spark's
partitions go through the same function.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from filtering.class_table import THEME_OF_LABEL, ClassTable, Ragged
from filtering.query import COORDINATES, FLAGS
from photochat.themes import THEME_LABELS, THEMES

Tally = Counter[tuple[str, str]]
"""Counts by what is counted and, for counts by theme or label, its name (else "")."""

Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]

LABEL_NAMES = tuple(label.name for label in THEME_LABELS)
_BOX_FIELDS = (*COORDINATES, *FLAGS)


class NotSortedError(Exception):
    """The rows do not come sorted by image: read them again in order."""


class MalformedError(Exception):
    """A row has no image id, or a coordinate or flag that is none: look for it in the files."""


class Block(NamedTuple):
    """Photos of the pool (`image_id` and the lists) and what was counted on the way to them.

    `troubles` are the kinds of boxes left out, each with the first image that had one.
    """

    photos: pa.Table
    tally: Tally
    troubles: dict[str, str]


class _Rows(NamedTuple):
    """Rows of the query as arrays; `image` numbers the block's images from 0."""

    batch: pa.RecordBatch
    image: Integers
    class_number: Integers
    is_box: Booleans
    in_frame: Booleans
    at_margin: Booleans
    too_small: Booleans
    excluded: Booleans
    qualifies: Booleans

    def where(self, mask: Booleans) -> _Rows:
        if mask.all():
            return self
        return _Rows(
            self.batch.filter(pa.array(mask)),
            self.image[mask],
            self.class_number[mask],
            self.is_box[mask],
            self.in_frame[mask],
            self.at_margin[mask],
            self.too_small[mask],
            self.excluded[mask],
            self.qualifies[mask],
        )


def assemble(batches: Iterable[pa.RecordBatch], classes: ClassTable) -> Iterator[Block]:
    """Yield blocks of photos from record batches of `RECORD_COLUMNS`, sorted by image id.

    Raises:
        NotSortedError: an image id is less than the one before it.
        MalformedError: a row holds a null or a number that is none.
    """
    previous = ""
    for batch in _whole_images(batches):
        _check_values(batch)
        starts, ids = _runs(batch.column("image_id"))
        ascending = pc.all(pc.less(ids[:-1], ids[1:]), min_count=0).as_py()
        if not ascending or ids[0].as_py() <= previous:
            raise NotSortedError
        previous = ids[-1].as_py()
        yield _block(batch, starts, ids, classes)


def _whole_images(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Regroup batches so that no image is cut between two."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        if not batch.num_rows:
            continue
        ids = batch.column("image_id")
        if ids.null_count or pc.any(pc.equal(ids, "")).as_py():
            raise MalformedError
        others = np.flatnonzero(pc.not_equal(ids, ids[-1]).to_numpy(zero_copy_only=False))
        last = int(others[-1]) + 1 if len(others) else 0  # where the batch's last image begins
        if last:
            yield pa.concat_batches([*held, batch.slice(0, last)])
            held = [batch.slice(last)]
        elif held and held[0].column("image_id")[0] == ids[0]:
            held.append(batch)
        else:
            if held:
                yield pa.concat_batches(held)
            held = [batch]
    if held:
        yield pa.concat_batches(held)


def _runs(ids: pa.Array) -> tuple[Integers, pa.Array]:
    """Return where each run of equal ids starts, and the id of each run."""
    changes = pc.not_equal(ids[1:], ids[:-1]).to_numpy(zero_copy_only=False)
    starts = np.concatenate([[0], np.flatnonzero(changes) + 1])
    return starts, ids.take(pa.array(starts))


def _check_values(batch: pa.RecordBatch) -> None:
    is_box = _flag(batch, "is_box")
    if not is_box.all():
        batch = batch.filter(pa.array(is_box))
    for name in COORDINATES:
        column = batch.column(name)
        if column.null_count or not np.isfinite(column.to_numpy()).all():
            raise MalformedError
    for name in FLAGS:
        column = batch.column(name)
        if column.null_count or (np.abs(column.to_numpy()) > 1).any():
            raise MalformedError


def _block(batch: pa.RecordBatch, starts: Integers, ids: pa.Array, classes: ClassTable) -> Block:
    tally: Tally = Counter()
    image = np.repeat(np.arange(len(ids)), np.diff(starts, append=batch.num_rows))
    rows = _Rows(
        batch,
        image,
        batch.column("class_number").to_numpy().astype(np.int64),
        *(_flag(batch, name) for name in _Rows._fields[3:]),
    )
    tally["boxes read", ""] = int(rows.is_box.sum())
    tally["image labels read", ""] = batch.num_rows - tally["boxes read", ""]
    with_box = np.zeros(len(ids), dtype=bool)
    with_box[image[rows.is_box]] = True
    tally["images read", ""] = int(with_box.sum())
    tally["images without boxes", ""] = int((~with_box).sum())
    rows, first_images = _usable(rows, tally)
    qualifying = _judge(rows, len(ids), classes, tally)

    kept = np.zeros(len(ids), dtype=bool)
    kept[qualifying // len(THEME_LABELS)] = True
    place = np.cumsum(kept) - 1
    rows = rows.where(kept[rows.image])
    rows = rows._replace(image=place[rows.image])
    image_of, label_of = np.divmod(qualifying, len(THEME_LABELS))
    qualifying = place[image_of] * len(THEME_LABELS) + label_of
    photos = pa.table(
        {
            "image_id": ids.filter(pa.array(kept)),
            "labels": _strings(
                _keys(rows.image, rows.class_number, classes.labels_of, len(classes.labels)),
                int(kept.sum()),
                classes.labels,
            ),
            "themes": _strings(_theme_keys(qualifying), int(kept.sum()), THEMES),
            "qualifying": _strings(qualifying, int(kept.sum()), LABEL_NAMES),
            "boxes": _boxes(rows.where(rows.is_box), int(kept.sum()), classes),
        }
    )
    troubles = {what: ids[image].as_py() for what, image in first_images.items()}
    return Block(photos, tally, troubles)


def _usable(rows: _Rows, tally: Tally) -> tuple[_Rows, dict[str, int]]:
    """Leave out, and count, rows that say nothing: out of frame, class unknown, there already.

    Return the rest, and the first image with a box of each kind of trouble.
    """
    first_images: dict[str, int] = {}

    def note(what: str, mask: Booleans) -> None:
        tally[what, ""] = int(mask.sum())
        if tally[what, ""]:
            first_images[what] = int(rows.image[mask.argmax()])

    unknown = rows.class_number < 0
    note("boxes out of frame", ~rows.in_frame)
    note("boxes of unknown class", unknown & rows.is_box & rows.in_frame)
    tally["image labels of unknown class", ""] = int((unknown & ~rows.is_box).sum())
    rows = rows.where(rows.in_frame & ~unknown)
    repeated = _repeated(rows)
    note("boxes repeated", repeated)
    return rows.where(~repeated), first_images


def _repeated(rows: _Rows) -> Booleans:
    """Mark boxes that stood before in all fields."""
    repeated = np.zeros(len(rows.image), dtype=bool)
    mixed = (rows.image << 16) ^ rows.class_number
    for name in COORDINATES:
        column = rows.batch.column(name)
        mixed = mixed * 0x2545F4914F6CDD1D ^ column.fill_null(0).to_numpy().view(np.int64)
    # Equal boxes have equal sums; the few sums that stand twice are looked at field by field.
    mixed ^= mixed >> 29
    ordered = np.sort(mixed)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    if not len(twice):
        return repeated
    suspects = np.flatnonzero(np.isin(mixed, twice) & rows.is_box)
    fields = rows.batch.select(_BOX_FIELDS).take(pa.array(suspects)).to_pydict()
    seen: set[tuple[Any, ...]] = set()
    for index, values in zip(suspects.tolist(), zip(*fields.values(), strict=True), strict=True):
        box = (int(rows.image[index]), int(rows.class_number[index]), *values)
        repeated[index] = box in seen
        seen.add(box)
    return repeated


def _judge(rows: _Rows, images: int, classes: ClassTable, tally: Tally) -> Integers:
    """Fill in the funnel; return the qualifying labels as keys image * 88 + label, ascending."""
    width = len(THEME_LABELS)
    is_main = ~rows.at_margin & ~rows.too_small
    counted = rows.is_box | rows.qualifies
    is_person = (classes.people_of.lengths > 0)[rows.class_number] & rows.is_box
    tally["people boxes", ""] = int(is_person.sum())
    tally["people boxes at the margin", ""] = int((is_person & rows.at_margin).sum())
    tally["people boxes too small", ""] = int((is_person & ~rows.at_margin & rows.too_small).sum())
    tally["people boxes main", ""] = int((is_person & is_main).sum())
    tally["boxes left out as group or depiction", ""] = int(rows.excluded.sum())

    def keys(mask_people: Booleans, mask_others: Booleans) -> Integers:
        people = rows.image[mask_people], rows.class_number[mask_people], classes.people_of
        others = rows.image[mask_others], rows.class_number[mask_others], classes.others_of
        return _unique(np.concatenate([_expand(*people, width), _expand(*others, width)]))

    themed = keys(is_person, counted)
    qualifying = keys(is_person & is_main & rows.qualifies, rows.qualifies)
    boxes = np.bincount(rows.class_number[rows.is_box], minlength=len(classes.ids))
    for lists in (classes.people_of, classes.others_of):
        by_value = np.repeat(boxes, lists.lengths)
        totals = np.bincount(lists.values, by_value, width)
        for name, count in zip(LABEL_NAMES, totals.tolist(), strict=True):
            tally["boxes of label", name] += int(count)
    _count(tally, "images with label", themed, LABEL_NAMES)
    _count(tally, "photos kept by label", qualifying, LABEL_NAMES)
    _count(tally, "images with theme", _theme_keys(themed), THEMES)
    _count(tally, "photos kept by theme", _theme_keys(qualifying), THEMES)

    def images_with(image: Integers) -> Booleans:
        found = np.zeros(images, dtype=bool)
        found[image] = True
        return found

    with_label, kept = images_with(themed // width), images_with(qualifying // width)
    dropped = with_label & ~kept
    by_flag = dropped & images_with(rows.image[rows.excluded])
    too_small = dropped & ~by_flag & images_with(rows.image[is_person & ~rows.at_margin])
    with_people = images_with(rows.image[is_person])
    with_main = images_with(rows.image[is_person & is_main])
    tally["images with a theme label", ""] = int(with_label.sum())
    tally["images dropped as group or depiction", ""] = int(by_flag.sum())
    tally["images dropped, people too small", ""] = int(too_small.sum())
    tally["images dropped, people at the margin", ""] = int((dropped & ~by_flag & ~too_small).sum())
    tally["photos kept", ""] = int(kept.sum())
    tally["photos kept without their people", ""] = int((kept & with_people & ~with_main).sum())
    return qualifying


def _expand(image: Integers, class_number: Integers, lists: Ragged, width: int) -> Integers:
    """Return image * width + value for each value of each row's class, in row order."""
    counts = lists.lengths[class_number]
    ends = np.cumsum(counts)
    # Place k of the result holds value number k - (where its row begins in the result) of its row.
    shift = np.repeat(lists.starts[class_number] - (ends - counts), counts)
    return np.repeat(image * width, counts) + lists.values[shift + np.arange(len(shift))]


def _keys(image: Integers, class_number: Integers, lists: Ragged, width: int) -> Integers:
    return _unique(_expand(image, class_number, lists, width))


def _unique(keys: Integers) -> Integers:
    keys = np.sort(keys)  # with the comparison below about three times as fast as np.unique
    is_new = np.ones(len(keys), dtype=bool)
    np.not_equal(keys[1:], keys[:-1], out=is_new[1:])
    return keys[is_new]


def _theme_keys(label_keys: Integers) -> Integers:
    image, label = np.divmod(label_keys, len(THEME_LABELS))
    return _unique(image * len(THEMES) + THEME_OF_LABEL[label])


def _count(tally: Tally, what: str, keys: Integers, names: Sequence[str]) -> None:
    counts = np.bincount(keys % len(names), minlength=len(names))
    for name, count in zip(names, counts.tolist(), strict=True):
        tally[what, name] += count


def _strings(keys: Integers, photos: int, names: Sequence[str]) -> pa.Array:
    """Return lists of names, one a photo, from ascending keys photo * len(names) + name."""
    photo, name = np.divmod(keys, len(names))
    return pa.ListArray.from_arrays(_offsets(photo, photos), _dictionary(name, names))


def _boxes(rows: _Rows, photos: int, classes: ClassTable) -> pa.Array:
    main = ~rows.at_margin & ~rows.too_small
    columns = {
        "label": _dictionary(rows.class_number, classes.names),
        "class_id": _dictionary(rows.class_number, classes.ids),
        **{name: rows.batch.column(name) for name in _BOX_FIELDS},
        "main": pa.array(main),
    }
    structs = pa.StructArray.from_arrays(
        list(columns.values()),
        fields=[pa.field(name, column.type) for name, column in columns.items()],
    )
    return pa.ListArray.from_arrays(_offsets(rows.image, photos), structs)


def _offsets(photo: Integers, photos: int) -> pa.Array:
    counts = np.bincount(photo, minlength=photos)
    return pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32())


def _dictionary(numbers: Integers, names: Sequence[str]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(numbers, pa.int32()), pa.array(names))


def _flag(batch: pa.RecordBatch, name: str) -> Booleans:
    flags: Booleans = batch.column(name).to_numpy(zero_copy_only=False)
    return flags
