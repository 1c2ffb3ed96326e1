"""A release made ready to hand on: JSON as published, Parquet, Croissant metadata, a data card."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jinja2
import msgspec

from photochat import __version__
from photochat.atomic import atomic_folder
from photochat.dialogue import Dialogue
from photochat.errors import DataError
from photochat.records import write_records
from photochat.release import SPLITS, Release, read_release, write_splits
from photochat.statistics import TOTAL, SplitStatistics, stats
from photochat.synthetic import SYNTHETIC, count_synthetic, only_mark_kept
from photochat.themes import THEMES
from photochat.validation import KINDS, validate

PARQUET = "parquet"
CARD = "README.md"
CROISSANT = "croissant.json"
NOT_STATED = "not stated"
CROISSANT_VERSION = "http://mlcommons.org/croissant/1.0"
_MARK_SAYS = (
    "Model, prompts and seed of a dialogue that a language model made, as JSON; "
    "null where people talked."
)


class About(msgspec.Struct, frozen=True):
    """What a package says that the dialogues themselves do not."""

    name: str
    description: str = (
        "Two-person chats in which one person shares a photo, for photo-sharing intent prediction "
        "and dialogue-based photo retrieval."
    )
    version: str = "1.0.0"
    license: str = NOT_STATED
    creator: str = NOT_STATED
    contact: str = NOT_STATED
    url: str = NOT_STATED
    language: str = "en"
    citation: str = NOT_STATED
    date_published: str = NOT_STATED


class Package(msgspec.Struct, frozen=True):
    """What was written: the folder, its files with their sizes in bytes, and the dialogues used.

    `left_out_keys` are the keys beyond the layout that were not written.
    """

    folder: str
    files: dict[str, int]
    dialogues: dict[str, int]
    left_out_keys: list[str]


def package(
    release_folder: str | Path,
    out: str | Path,
    about: About,
    *,
    keep_keys: bool = False,
    replace: bool = False,
) -> Package:
    """Write a package of the release in `release_folder` to the new folder `out`.

    `out` gets `{train,dev,test}/` in the published JSON layout, `parquet/{split}.parquet` of each
    split that has dialogues, which Hugging Face `datasets` loads by the folder's name,
    `croissant.json`, and `README.md`, a data card filled in from the data.

    Keys beyond the published layout (times, pseudonyms, surveys of a collection) are left out
    unless `keep_keys`. The mark of synthetic dialogues stays in every format, and the card and the
    metadata say how many there are.

    Raises:
        DataError: the release cannot be read or has no splits, or `out` cannot be written.
    """
    release = read_release(release_folder)
    splits = release.splits
    if not keep_keys:
        splits = {name: [only_mark_kept(d) for d in part] for name, part in splits.items()}
    if not set(release.splits) <= set(SPLITS):
        raise DataError("has no splits: run photochat split first", file=release_folder)
    found = validate(release_folder)
    known = {kind: count for kind, count in found.counts.items() if kind != "unknown-key"}
    card = _card(release, found.counts if keep_keys else known, about)
    with atomic_folder(out, replace=replace) as folder:
        write_splits(splits, folder, ".json")
        for split, dialogues in splits.items():
            if dialogues:  # `datasets` does not load a table without rows
                write_records(folder / PARQUET / f"{split}.parquet", dialogues)
        made = {split: count_synthetic(dialogues) for split, dialogues in splits.items()}
        metadata = json.dumps(croissant(folder, about, made), indent=2, ensure_ascii=False)
        (folder / CROISSANT).write_text(metadata + "\n", encoding="utf-8")
        (folder / CARD).write_text(card, encoding="utf-8")
        sizes = {
            str(file.relative_to(folder)): file.stat().st_size
            for file in sorted(folder.rglob("*"))
            if file.is_file()
        }
    counts = {split: len(dialogues) for split, dialogues in splits.items()}
    left_out = sorted({p.field or "" for p in found.problems if p.kind == "unknown-key"})
    return Package(str(out), sizes, counts, [] if keep_keys else left_out)


def croissant(folder: Path, about: About, made: Mapping[str, int] | None = None) -> dict[str, Any]:
    """Return Croissant 1.0 metadata (JSON-LD) for the Parquet files in `folder`.

    `made` is how many dialogues of each split are synthetic.
    """
    made = made or {}
    files = [
        {
            "@type": "cr:FileObject",
            "@id": file.name,
            "name": file.name,
            "contentUrl": f"{PARQUET}/{file.name}",
            "encodingFormat": "application/x-parquet",
            "contentSize": f"{file.stat().st_size} B",
            "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        }
        for file in sorted((folder / PARQUET).glob("*.parquet"))
    ]
    stated = {
        "license": about.license,
        "url": about.url,
        "citeAs": about.citation,
        "datePublished": about.date_published,
    }
    creator = {} if about.creator == NOT_STATED else {
        "creator": {"@type": "sc:Organization", "name": about.creator}
    }  # fmt: skip
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": about.name,
        "description": about.description + _said_of_made(sum(made.values())),
        "conformsTo": CROISSANT_VERSION,
        "version": about.version,
        "inLanguage": about.language,
        **{key: value for key, value in stated.items() if value != NOT_STATED},
        **creator,
        "distribution": files,
        "recordSet": [_record_set(file["@id"], made) for file in files],
    }


def _said_of_made(count: int) -> str:
    return f" {count:,} dialogues were made by a language model: see the key synthetic." * (
        count > 0
    )


def _record_set(file: str, made: Mapping[str, int]) -> dict[str, Any]:
    split = file.removesuffix(".parquet")

    def field(name: str, data_type: str, description: str) -> dict[str, Any]:
        return {
            "@type": "cr:Field",
            "@id": f"{split}/{name}",
            "name": name,
            "description": description,
            "dataType": data_type,
            "source": {"fileObject": {"@id": file}, "extract": {"column": name}},
        }

    def turn_field(name: str, data_type: str, description: str) -> dict[str, Any]:
        source = {
            "fileObject": {"@id": file},
            "extract": {"column": "dialogue"},
            "transform": {"jsonPath": f"[*].{name}"},
        }
        identity = {"@id": f"{split}/dialogue/{name}", "name": name}
        return {**field(name, data_type, description), **identity, "source": source}

    turns = {
        "@type": "cr:Field",
        "@id": f"{split}/dialogue",
        "name": "dialogue",
        "description": "The turns, in order.",
        "repeated": True,
        "subField": [
            turn_field("message", "sc:Text", "What was said; empty where the photo is shared."),
            turn_field("share_photo", "sc:Boolean", "Whether the turn shares the photo."),
            turn_field("user_id", "sc:Integer", "Who speaks, 0 or 1."),
        ],
    }
    return {
        "@type": "cr:RecordSet",
        "@id": split,
        "name": split,
        "description": f"The dialogues of the split {split}." + _said_of_made(made.get(split, 0)),
        "field": [
            field("dialogue_id", "sc:Integer", "Number of the dialogue within its split."),
            turns,
            field("photo_description", "sc:Text", "Object labels, and who is on the photo."),
            field("photo_url", "sc:URL", "Where the photo stands."),
            field("photo_id", "sc:Text", "<Open Images subset>/<image id>, where known."),
            *([field(SYNTHETIC, "sc:Text", _MARK_SAYS)] if made.get(split) else []),
        ],
    }


def _card(release: Release, findings: dict[str, int], about: About) -> str:
    parts = stats(release, apart=False)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("photochat"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - Markdown, not HTML; free text goes through the filters
    )
    environment.filters["yaml"] = lambda text: json.dumps(text, ensure_ascii=False)
    environment.filters["plain"] = _plain
    whole = parts[TOTAL] if TOTAL in parts else next(iter(parts.values()))
    return environment.get_template("data_card.md.jinja").render(
        about=about,
        parts=parts,
        whole=whole,
        tables=[name for name, part in release.splits.items() if part],
        made={name: count_synthetic(part) for name, part in release.splits.items()},
        themes=THEMES,
        labels=list(whole.labels.items())[:20],
        size=_size_category(whole),
        findings={kind: (KINDS[kind], count) for kind, count in findings.items()},
        example=list(_example(release.dialogues)),
        not_stated=NOT_STATED,
        version=__version__,
    )


def _example(dialogues: list[Dialogue]) -> Iterator[str]:
    """Return the lines of a typical dialogue: shared, and of median length."""
    shared = [d for d in dialogues if d.share_index is not None]
    if not shared:
        return
    middle = sorted(shared, key=lambda d: len(d.turns))[len(shared) // 2]
    for turn in middle.turns:
        name = "A" if turn.user_id == middle.sharer else "B"
        yield f"{name}: {'[shares the photo]' if turn.share_photo else _plain(turn.message)}"


def _plain(text: str) -> str:
    """Keep free text on its line and out of the card's Markdown."""
    return " ".join(text.split()).replace("`", "'").replace("|", "\\|").replace("<", "&lt;")


def _size_category(whole: SplitStatistics) -> str:
    """Return Hugging Face's size tag for the number of dialogues."""
    steps = [(1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K")]
    return next((tag for most, tag in steps if whole.dialogues < most), "100K<n<1M")


_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
