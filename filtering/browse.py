"""`photochat browse`: the pool as a persistent FiftyOne dataset that one can look at and tag.

Each photo is a sample with its boxes (`objects`, the main object marked), themes and subset as
tags, and what was said about it. Running it again brings the dataset up to date and keeps the tags
that people gave. FiftyOne is an extra, so it is imported only when used.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from PIL import Image, ImageDraw, ImageFont

from filtering.duplicates import THUMBNAILS, Embedder, near_duplicates
from filtering.rotation import recorded_turn, turned_box
from photochat.atomic import atomic_file
from photochat.errors import DataError
from photochat.images import image_path, picture_size
from photochat.photo import Box, Photo
from photochat.themes import THEME_LABELS, THEMES

MISSING = "missing-image"
BROKEN = "broken-image"
NOT_IN_POOL = "not-in-pool"
EXCLUDE = "exclude"  # the tag that `photochat curate` acts on
STATES = (MISSING, BROKEN, NOT_IN_POOL)

PEOPLE_WITHOUT_MAIN = "people without a main object"
NEAR_DUPLICATES = "near duplicates"
PEOPLE_LABELS = sorted(
    {name for label in THEME_LABELS if label.theme == "people" for name in label[:1]}
    | {label.release_name for label in THEME_LABELS if label.theme == "people"}
)

_MADE_BY = "photochat browse"
_MAIN_COLOUR = "#ff6d04"
_OTHER_COLOUR = "#499cef"

Fields = dict[str, Any]


class BrowseReport(msgspec.Struct):
    """What a run did to the dataset, in photos; `views` is the number in each saved view."""

    dataset: str
    photos: int
    added: int
    updated: int
    missing_images: int
    broken_images: int
    not_in_pool: int
    with_dialogues: int
    with_findings: int
    duplicates_by: str | None
    views: dict[str, int] = msgspec.field(default_factory=dict)


def load_fiftyone() -> Any:
    """Import FiftyOne, see that its database answers, and return the module.

    Its usage tracking is off unless the user's own environment turns it on.

    Raises:
        DataError: it is not installed, or its database does not start.
    """
    os.environ.setdefault("FIFTYONE_DO_NOT_TRACK", "1")
    try:
        fiftyone = importlib.import_module("fiftyone")
    except ImportError as error:
        raise DataError(
            "FiftyOne is not installed: pip install 'photochat-toolkit[browse]' "
            "(or use photochat contact-sheet)"
        ) from error
    try:
        fiftyone.list_datasets()
    except Exception as error:  # of many kinds: no mongod, no folder, no permission, no answer
        raise DataError(f"FiftyOne's database does not start ({_first_line(error)})") from error
    return fiftyone


def browse(
    photos: Sequence[Photo],
    images: str | Path,
    *,
    name: str,
    dialogues: Mapping[str, Sequence[str]] | None = None,
    findings: Mapping[str, Sequence[str]] | None = None,
    embedder: Embedder | None = THUMBNAILS,
) -> BrowseReport:
    """Make the FiftyOne dataset `name` from a pool, or bring it up to date.

    `dialogues` and `findings` map a photo id to the readable dialogues about it (one line a turn)
    and to sentences of what the checks found; None leaves what the dataset has. Near-duplicates
    are looked for by `embedder`, or not at all when it is None.

    A sample whose photo has left the pool stays, tagged `not-in-pool`, without its theme tags.

    Raises:
        DataError: FiftyOne is not to be had, or a dataset `name` exists that this did not make.
    """
    fiftyone = load_fiftyone()
    dataset = _dataset(fiftyone, name)
    unique = {photo.photo_id: photo for photo in photos}
    rows = {photo_id: _fields(fiftyone, photo, Path(images)) for photo_id, photo in unique.items()}
    for field, texts in (("dialogue", dialogues), ("finding", findings)):
        if texts is not None:
            for photo_id, row in rows.items():
                row |= _texts(field, texts.get(photo_id, ()))
    if embedder is not None:
        _add_duplicates(rows, embedder)
    added, updated, gone = _write(fiftyone, dataset, rows)
    views = _save_views(fiftyone, dataset)
    tags = dataset.count_sample_tags()
    return BrowseReport(
        dataset=name,
        photos=len(rows),
        added=added,
        updated=updated,
        missing_images=tags.get(MISSING, 0),
        broken_images=tags.get(BROKEN, 0),
        not_in_pool=gone,
        with_dialogues=sum(bool(row.get("dialogue_count")) for row in rows.values()),
        with_findings=sum(bool(row.get("finding_count")) for row in rows.values()),
        duplicates_by=embedder.name if embedder else None,
        views=views,
    )


def launch(name: str, *, remote: bool = False, port: int | None = None) -> Any:
    """Open the dataset in the FiftyOne app and return the session.

    In a notebook the app opens in the cell; elsewhere in the browser, or, with `remote`, nowhere:
    it only listens (on this machine, port 5151 by default) for a browser that gets here by ssh.

    Raises:
        DataError: FiftyOne is not to be had, or has no such dataset.
    """
    fiftyone = load_fiftyone()
    return fiftyone.launch_app(existing_dataset(fiftyone, name), remote=remote, port=port)


def existing_dataset(fiftyone: Any, name: str) -> Any:
    """Return the dataset `name`, which has photo ids.

    Raises:
        DataError: there is none, or it was not made from a pool.
    """
    if not fiftyone.dataset_exists(name):
        others = ", ".join(fiftyone.list_datasets()) or "none yet"
        raise DataError(f"FiftyOne has no dataset {name!r} (it has: {others})")
    dataset = fiftyone.load_dataset(name)
    if not dataset.has_field("photo_id"):
        raise DataError(
            f"the FiftyOne dataset {name!r} has no photo ids: photochat browse makes one"
        )
    return dataset


def _dataset(fiftyone: Any, name: str) -> Any:
    if fiftyone.dataset_exists(name):
        dataset = fiftyone.load_dataset(name)
        if dataset.info.get("made_by") != _MADE_BY:
            raise DataError(
                f"FiftyOne has a dataset {name!r} that photochat did not make: give another --name"
            )
    else:
        try:
            dataset = fiftyone.Dataset(name, persistent=True)
        except ValueError as error:
            raise DataError(_first_line(error), field="--name") from error
        dataset.info["made_by"] = _MADE_BY
        for field in ("url", "landing_url", "license", "author", "title", "duplicate_group"):
            dataset.add_sample_field(field, fiftyone.StringField)
        for field in ("labels", "qualifying", "dialogues", "dialogue_turns", "findings"):
            dataset.add_sample_field(field, fiftyone.ListField, subfield=fiftyone.StringField)
        for field in ("dialogue_count", "finding_count"):
            dataset.add_sample_field(field, fiftyone.IntField)
        dataset.add_sample_field("rotation", fiftyone.FloatField)
        dataset.add_sample_field("photo_id", fiftyone.StringField)
        dataset.create_index("photo_id", unique=True)
        dataset.add_sample_field(
            "objects", fiftyone.EmbeddedDocumentField, embedded_doc_type=fiftyone.Detections
        )
        dataset.app_config.color_scheme = _colours(fiftyone)
        dataset.save()
    return dataset


def _colours(fiftyone: Any) -> Any:
    """Boxes by what they are: the main object in orange, the others in blue."""
    values = [{"value": "true", "color": _MAIN_COLOUR}, {"value": "false", "color": _OTHER_COLOUR}]
    objects = {
        "path": "objects",
        "fieldColor": _OTHER_COLOUR,
        "colorByAttribute": "main",
        "valueColors": values,
    }
    return fiftyone.ColorScheme(color_by="value", fields=[objects])


def _fields(fiftyone: Any, photo: Photo, images: Path) -> Fields:
    path = image_path(images, photo.photo_id).absolute()
    state, metadata, turn = None, None, None
    try:
        width, height = picture_size(path)
        turn = recorded_turn(path)
        metadata = fiftyone.ImageMetadata(
            width=width, height=height, size_bytes=path.stat().st_size, mime_type="image/jpeg"
        )
    except DataError:
        state = BROKEN if path.exists() else MISSING
    tags = [*photo.themes, photo.photo_id.partition("/")[0]]
    detections = [_detection(fiftyone, turned_box(box, turn)) for box in photo.boxes]
    return {
        "photo_id": photo.photo_id,
        "filepath": str(path if state is None else _placeholder(fiftyone, state)),
        "tags": tags if state is None else [*tags, state],
        "metadata": metadata,
        "url": photo.url,
        "landing_url": photo.landing_url,
        "license": photo.license,
        "author": photo.author,
        "title": photo.title,
        "rotation": photo.rotation,
        "labels": list(photo.labels),
        "qualifying": list(photo.qualifying),
        "objects": fiftyone.Detections(detections=detections),
    }


def _detection(fiftyone: Any, box: Box) -> Any:
    return fiftyone.Detection(
        label=box.label,
        bounding_box=[box.x_min, box.y_min, box.x_max - box.x_min, box.y_max - box.y_min],
        main=box.main,
        class_id=box.class_id,
        is_occluded=box.is_occluded,
        is_truncated=box.is_truncated,
        is_group_of=box.is_group_of,
        is_depiction=box.is_depiction,
        is_inside=box.is_inside,
    )


def _texts(field: str, texts: Sequence[str]) -> Fields:
    row: Fields = {f"{field}s": list(texts), f"{field}_count": len(texts)}
    if field == "dialogue":
        row["dialogue_turns"] = [line for text in texts for line in text.splitlines()]
    return row


def _placeholder(fiftyone: Any, state: str) -> Path:
    """Return a picture that says in words that there is none."""
    path = Path(fiftyone.config.default_dataset_dir) / "photochat" / f"{state}.png"
    if not path.exists():
        picture = Image.new("RGB", (640, 480), "#3a3a3a")
        ImageDraw.Draw(picture).text(
            (320, 240),
            state.replace("-", " "),
            fill="#dddddd",
            anchor="mm",
            font=ImageFont.load_default(size=48),
        )
        with atomic_file(path) as part:
            picture.save(part, "PNG")
    return path


def _add_duplicates(rows: dict[str, Fields], embedder: Embedder) -> None:
    """Write into `duplicate_group` the id of the first photo of the group, or None."""
    ids = [photo_id for photo_id, row in rows.items() if row["metadata"] is not None]
    vectors = embedder.embed([Path(rows[photo_id]["filepath"]) for photo_id in ids])
    for row in rows.values():
        row["duplicate_group"] = None
    for group in near_duplicates(vectors, embedder.max_distance):
        for member in group:
            rows[ids[member]]["duplicate_group"] = ids[group[0]]


def _write(fiftyone: Any, dataset: Any, rows: dict[str, Fields]) -> tuple[int, int, int]:
    """Add and update samples; return how many were added, updated, and are in no pool now."""
    known: dict[str, list[str]] = dict(zip(*dataset.values(["photo_id", "tags"]), strict=True))
    ours = {*THEMES, *STATES}
    new = [fiftyone.Sample(**row) for photo_id, row in rows.items() if photo_id not in known]
    old = {photo_id: row for photo_id, row in rows.items() if photo_id in known}
    gone = {photo_id: tags for photo_id, tags in known.items() if photo_id not in rows}
    for row in old.values():
        given = [tag for tag in known[row["photo_id"]] if tag not in ours]
        row["tags"] = list(dict.fromkeys([*row["tags"], *given]))
    if old:
        for field in next(iter(old.values())):
            if field != "photo_id":
                values = {photo_id: row[field] for photo_id, row in old.items()}
                dataset.set_values(field, values, key_field="photo_id", progress=False)
    if gone:
        values = {
            photo_id: [*(tag for tag in tags if tag not in ours), NOT_IN_POOL]
            for photo_id, tags in gone.items()
        }
        dataset.set_values("tags", values, key_field="photo_id", progress=False)
    if new:
        dataset.add_samples(new, progress=False)
    return len(new), len(old), len(gone)


def _save_views(fiftyone: Any, dataset: Any) -> dict[str, int]:
    """Save the views a curator wants, and return the number of photos in each."""
    box = fiftyone.ViewField
    people = box("label").is_in(PEOPLE_LABELS)
    boxes = box("objects.detections")
    background = (boxes.filter(people).length() > 0) & (
        boxes.filter(people & (box("main") == True)).length() == 0  # noqa: E712 - an expression
    )
    here = dataset.match_tags(NOT_IN_POOL, bool=False)
    views = {theme: here.match_tags(theme) for theme in THEMES} | {
        PEOPLE_WITHOUT_MAIN: here.match(background),
        NEAR_DUPLICATES: here.exists("duplicate_group").sort_by("duplicate_group"),
        "with dialogues": here.match(box("dialogue_count") > 0),
        "with findings": here.match(box("finding_count") > 0),
        "missing images": here.match_tags([MISSING, BROKEN]),
        "excluded": here.match_tags(EXCLUDE),
    }
    for name, view in views.items():
        dataset.save_view(name, view, overwrite=True)
    return {name: len(view) for name, view in views.items()}


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), repr(error))
