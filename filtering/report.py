"""What a selection did: `pool.report.json`."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from filtering.assembly import Tally
from filtering.provenance import Input
from photochat.themes import THEME_LABELS, THEMES


class ThemeCount(msgspec.Struct, frozen=True):
    """Images with a label of a theme (or with one label of Table 5), and photos kept by it."""

    theme: str
    images_with_label: int
    photos_kept: int


class LabelCount(msgspec.Struct, frozen=True):
    """One label of Table 5: boxes of it and of its descendants, images with one, photos kept."""

    label: str
    theme: str
    boxes: int
    images_with_label: int
    photos_kept: int


class Funnel(msgspec.Struct, frozen=True):
    """From everything read to the pool.

    `images_with_theme_label` = `photos_kept` + the three `images_dropped_*`. An image counts as
    dropped for people too small if one of its people at least was not at the margin. A box both
    at the margin and too small counts as at the margin.
    """

    boxes_read: int
    boxes_out_of_frame: int
    boxes_of_unknown_class: int
    boxes_repeated: int
    image_labels_read: int
    image_labels_of_unknown_class: int
    images_read: int
    images_without_boxes: int
    images_with_theme_label: int
    people_boxes: int
    people_boxes_at_margin: int
    people_boxes_too_small: int
    people_boxes_main: int
    boxes_dropped_as_group_or_depiction: int
    images_dropped_people_at_margin: int
    images_dropped_people_too_small: int
    images_dropped_as_group_or_depiction: int
    photos_kept: int
    photos_kept_without_main_person: int
    photos_without_metadata: int


class FilterReport(msgspec.Struct, frozen=True):
    """The whole report: versions, options, inputs with their hashes, funnel, counts, warnings."""

    toolkit: str
    engine: str
    options: dict[str, str | None]
    inputs: list[Input]
    funnel: Funnel
    themes: list[ThemeCount]
    labels: list[LabelCount]
    warnings: list[str]


def funnel_of(tally: Tally) -> Funnel:
    """Name the counts of the assembly."""
    return Funnel(
        boxes_read=tally["boxes read", ""],
        boxes_out_of_frame=tally["boxes out of frame", ""],
        boxes_of_unknown_class=tally["boxes of unknown class", ""],
        boxes_repeated=tally["boxes repeated", ""],
        image_labels_read=tally["image labels read", ""],
        image_labels_of_unknown_class=tally["image labels of unknown class", ""],
        images_read=tally["images read", ""],
        images_without_boxes=tally["images without boxes", ""],
        images_with_theme_label=tally["images with a theme label", ""],
        people_boxes=tally["people boxes", ""],
        people_boxes_at_margin=tally["people boxes at the margin", ""],
        people_boxes_too_small=tally["people boxes too small", ""],
        people_boxes_main=tally["people boxes main", ""],
        boxes_dropped_as_group_or_depiction=tally["boxes left out as group or depiction", ""],
        images_dropped_people_at_margin=tally["images dropped, people at the margin", ""],
        images_dropped_people_too_small=tally["images dropped, people too small", ""],
        images_dropped_as_group_or_depiction=tally["images dropped as group or depiction", ""],
        photos_kept=tally["photos kept", ""],
        photos_kept_without_main_person=tally["photos kept without their people", ""],
        photos_without_metadata=tally["photos without metadata", ""],
    )


def theme_counts(tally: Tally) -> list[ThemeCount]:
    """Return the counts by theme, in the order of Table 5."""
    return [
        ThemeCount(theme, tally["images with theme", theme], tally["photos kept by theme", theme])
        for theme in THEMES
    ]


def label_counts(tally: Tally) -> list[LabelCount]:
    """Return the counts by label, in the order of Table 5."""
    return [
        LabelCount(
            label.name,
            label.theme,
            tally["boxes of label", label.name],
            tally["images with label", label.name],
            tally["photos kept by label", label.name],
        )
        for label in THEME_LABELS
    ]


def warnings_of(tally: Tally, examples: dict[str, str], notes: Sequence[str]) -> list[str]:
    """Say in one line each what was left out of files that are usable all the same."""
    lines = list(notes)
    for what, because in (
        ("boxes out of frame", "left out: not within 0..1, or a minimum above its maximum"),
        ("boxes of unknown class", "left out: the class descriptions do not name it"),
        ("boxes repeated", "left out: an equal row stands before"),
        ("image labels of unknown class", "left out: give the full class-descriptions.csv too"),
        ("photos without metadata", "kept: no row of the metadata has their image id"),
    ):
        count = tally[what, ""]
        if count:
            where = f"; first: {examples[what]}" if what in examples else ""
            lines.append(f"{count:,} {what} ({because}{where})")
    return lines
