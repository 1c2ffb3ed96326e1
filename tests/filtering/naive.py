"""The selection once more, as slowly and plainly as it can be said: the reference for the tests.

It shares nothing with `filtering` but the table of labels; no SQL, no arrays, no incremental work.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from photochat.themes import THEME_LABELS, THEMES, release_name

FLAGS = ["IsOccluded", "IsTruncated", "IsGroupOf", "IsDepiction", "IsInside"]


def kinds_of(node: dict[str, Any], above: list[str], found: dict[str, set[str]]) -> None:
    """Collect, for each class, every class it stands under by Subcategory."""
    found.setdefault(node["LabelName"], set()).update(above)
    for child in node.get("Subcategory", []):
        kinds_of(child, [*above, node["LabelName"]], found)
    for child in node.get("Part", []):
        kinds_of(child, [], found)


def all_ancestors(tree: dict[str, Any]) -> dict[str, set[str]]:
    """Return every class's ancestors, those of all its places in the tree, without the root."""
    found: dict[str, set[str]] = {}
    kinds_of(tree, [], found)
    grew = True
    while grew:
        grew = False
        for above in found.values():
            more = set().union(*(found.get(c, set()) for c in above)) - above
            if more:
                above |= more
                grew = True
    return {name: above - {tree["LabelName"]} for name, above in found.items()}


def is_main(x_min: float, x_max: float, y_min: float, y_max: float, either: bool) -> bool:
    """Return the paper's main object rule, in its words."""
    center_x, center_y = (x_min + x_max) / 2, (y_min + y_max) / 2
    if min(center_x, 1 - center_x, center_y, 1 - center_y) <= 0.1:
        return False
    wide, high = not x_max - x_min < 0.3, not y_max - y_min < 0.3
    return (wide or high) if either else (wide and high)


def naive_pool(
    boxes: list[Path],
    classes: list[Path],
    hierarchy: Path | None,
    image_labels: list[Path] = [],  # noqa: B006 - never changed
    *,
    either: bool = False,
    drop_groups: bool = False,
    drop_depictions: bool = False,
    labels_qualify: bool = False,
) -> dict[str, dict[str, Any]]:
    """Return what the pool must hold: image id -> labels, themes, qualifying, boxes."""
    names: dict[str, str] = {}
    for path in classes:
        with path.open(newline="") as file:
            for row in csv.reader(file):
                if row[0] != "LabelName":
                    names.setdefault(row[0], row[1])
    above = all_ancestors(json.loads(hierarchy.read_text())) if hierarchy else {}
    table_5 = {label.class_id: label for label in THEME_LABELS}

    images: dict[str, dict[str, Any]] = {}
    for path in boxes:
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                x_min, x_max = float(row["XMin"]), float(row["XMax"])
                y_min, y_max = float(row["YMin"]), float(row["YMax"])
                image = images.setdefault(
                    row["ImageID"], {"classes": set(), "qualifying": set(), "boxes": []}
                )
                main = is_main(x_min, x_max, y_min, y_max, either)
                box = {
                    "label": names[row["LabelName"]],
                    "class_id": row["LabelName"],
                    "x_min": x_min,
                    "x_max": x_max,
                    "y_min": y_min,
                    "y_max": y_max,
                    "is_occluded": int(row["IsOccluded"]),
                    "is_truncated": int(row["IsTruncated"]),
                    "is_group_of": int(row["IsGroupOf"]),
                    "is_depiction": int(row["IsDepiction"]),
                    "is_inside": int(row["IsInside"]),
                    "main": main,
                }
                image["boxes"].append(box)
                own = {row["LabelName"]} | above.get(row["LabelName"], set())
                image["classes"] |= own
                if drop_groups and row["IsGroupOf"] == "1":
                    continue
                if drop_depictions and row["IsDepiction"] == "1":
                    continue
                for class_id in own & set(table_5):
                    if table_5[class_id].theme != "people" or main:
                        image["qualifying"].add(class_id)
    for path in image_labels:
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                if float(row["Confidence"]) != 1 or row["Source"] == "machine":
                    continue
                image = images.setdefault(
                    row["ImageID"], {"classes": set(), "qualifying": set(), "boxes": []}
                )
                own = {row["LabelName"]} | above.get(row["LabelName"], set())
                image["classes"] |= own
                if labels_qualify:
                    image["qualifying"] |= {
                        c for c in own & set(table_5) if table_5[c].theme != "people"
                    }

    pool = {}
    for image_id, image in images.items():
        if not image["qualifying"]:
            continue
        labels = {release_name(names[c]) for c in image["classes"] if c in names}
        themes = {table_5[c].theme for c in image["qualifying"]}
        pool[image_id] = {
            "labels": labels,
            "themes": [theme for theme in THEMES if theme in themes],
            "qualifying": [x.name for x in THEME_LABELS if x.class_id in image["qualifying"]],
            "boxes": image["boxes"],
            "above": {
                release_name(names[c]): {release_name(names[a]) for a in above.get(c, ())}
                for c in image["classes"]
                if c in names
            },
        }
    return pool
