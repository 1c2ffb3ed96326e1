"""Made-up Open Images files: small, in the published layouts, every value chosen for a test."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

CLASSES = {
    "/m/0jbk": "Animal",
    "/m/04rky": "Mammal",
    "/m/0bt9lr": "Dog",
    "/m/0kmg4": "Teddy bear",
    "/m/01g317": "Person",
    "/m/04yx4": "Man",
    "/m/0dzct": "Human face",
    "/m/02p0tk3": "Human body",
    "/m/02wbm": "Food",
    "/m/0fszt": "Cake",
    "/m/0270h": "Dessert",
    "/m/015qff": "Traffic light",
}
ANIMAL, DOG, MAN, FACE = "/m/0jbk", "/m/0bt9lr", "/m/04yx4", "/m/0dzct"
CAKE, LIGHT, PERSON = "/m/0fszt", "/m/015qff", "/m/01g317"

HIERARCHY = {
    "LabelName": "/m/0bl9f",
    "Subcategory": [
        {
            "LabelName": "/m/0jbk",
            "Subcategory": [
                {"LabelName": "/m/04rky", "Subcategory": [{"LabelName": "/m/0bt9lr"}]},
            ],
        },
        {
            "LabelName": "/m/01g317",
            "Subcategory": [{"LabelName": "/m/04yx4"}],
            "Part": [{"LabelName": "/m/02p0tk3", "Part": [{"LabelName": "/m/0dzct"}]}],
        },
        {
            "LabelName": "/m/02wbm",
            "Subcategory": [{"LabelName": "/m/0270h", "Subcategory": [{"LabelName": "/m/0fszt"}]}],
        },
        {"LabelName": "/m/015qff"},
    ],
}

BOX_HEADER = (
    "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,"
    "IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside"
)
CLICKS = ",XClick1X,XClick2X,XClick3X,XClick4X,XClick1Y,XClick2Y,XClick3Y,XClick4Y"
LABEL_HEADER = "ImageID,Source,LabelName,Confidence"
METADATA_HEADER = (
    "ImageID,Subset,OriginalURL,OriginalLandingURL,License,AuthorProfileURL,Author,Title,"
    "OriginalSize,OriginalMD5,Thumbnail300KURL,Rotation"
)
MIDDLE = "0.2,0.8,0.2,0.8"  # a main object


def box_row(
    image: str, class_id: str, place: str = MIDDLE, flags: str = "0,0,0,0,0", extra: str = ""
) -> str:
    """Return a row of box annotations."""
    return f"{image},xclick,{class_id},1,{place},{flags}{extra}"


def write(path: Path, header: str, rows: Iterable[str]) -> Path:
    """Write a CSV."""
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def write_boxes(folder: Path, *rows: str, name: str = "validation-annotations-bbox.csv") -> Path:
    """Write box annotations in the V4 layout."""
    return write(folder / name, BOX_HEADER, rows)


def write_classes(folder: Path, *, header: bool = False) -> Path:
    """Write `CLASSES`, with V7's header line or without one."""
    lines = ["LabelName,DisplayName"] if header else []
    lines += [f"{class_id},{name}" for class_id, name in CLASSES.items()]
    path = folder / "class-descriptions-boxable.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def write_hierarchy(folder: Path) -> Path:
    """Write `HIERARCHY`."""
    path = folder / "bbox_labels_600_hierarchy.json"
    path.write_text(json.dumps(HIERARCHY))
    return path
