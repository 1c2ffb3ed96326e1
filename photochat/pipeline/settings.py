"""The pipeline file: which stages there are, what they read, and the options that matter.

Each section of the TOML file is one class below; a section that is not there is a stage that does
not run. `options` of a section are handed to its command (`photochat pipeline run --dry-run` shows
the command lines). Paths are relative to the file, those among options too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec

from photochat.errors import DataError
from photochat.passwords import INSTEAD, holds_password
from photochat.toml import as_struct, read_toml

Count = Annotated[int, msgspec.Meta(ge=0)]
Positive = Annotated[int, msgspec.Meta(ge=1)]
Options = tuple[str, ...]


class Filter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Open Images' files; the pool becomes OUT/pool.parquet."""

    boxes: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    classes: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    hierarchy: str | None = None
    metadata: tuple[str, ...] = ()
    options: Options = ()


class Images(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The pictures, FOLDER/<photo_id>.jpg; with `download` missing ones are fetched.

    `sheet_seed` draws those of the contact sheet.
    """

    folder: str
    download: bool = False
    sheet_seed: int = 0
    options: Options = ()


class Collect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Dialogues that were collected (`raw`), or a rehearsal of a campaign with bots (`campaign`).

    `estimate` and `reconcile` are what those two commands of a campaign print with --json, saved
    for the report.
    """

    raw: str | None = None
    estimate: str | None = None
    reconcile: str | None = None
    campaign: str | None = None
    pairs: Positive = 20
    options: Options = ()


class Check(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The automatic checks."""

    models: bool = True
    options: Options = ()


class Review(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Votes that people gave, or reviewers of known quality who are simulated.

    `votes` are review databases (files), votes files (.jsonl) or a platform's results (.csv).
    """

    votes: tuple[str, ...] = ()
    simulated: tuple[str, ...] = ()
    overlap: Positive = 3
    gold: str | None = None
    options: Options = ()


class Split(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many dialogues dev and test hold."""

    dev: Count
    test: Count
    options: Options = ()


class Bm25(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The retrieval baseline."""

    options: Options = ()


class Training(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model to train on the release and to measure on its test split."""

    preset: str
    options: Options = ()


class Package(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The data set as it is published."""

    name: str
    license: str
    options: Options = ()


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A pipeline file. Everything that is made goes into the folder `out`."""

    collect: Collect
    split: Split
    out: str = "work"
    title: str = "A photo-sharing data set"
    seed: int = 0
    plots: bool = True
    pool: str | None = None  # a pool that is there already, instead of [filter]
    filter: Filter | None = None
    images: Images | None = None
    check: Check | None = None
    review: Review | None = None
    bm25: Bm25 | None = None
    intent: Training | None = None
    retrieval: Training | None = None
    package: Package | None = None


def read_settings(path: str | Path) -> Settings:
    """Read a pipeline file.

    Raises:
        DataError: no such file, no TOML, or a key that is unknown, missing, of another type or at
            odds with another; the field of the error is the key's full name ("split.dev").
    """
    return parse_settings(read_toml(path), file=path)


def parse_settings(content: dict[str, Any], *, file: str | Path | None = None) -> Settings:
    """Turn the tables of a pipeline file into checked settings.

    Raises:
        DataError: as `read_settings`.
    """
    settings = as_struct(content, Settings, file=file)
    for key, problem in _contradictions(settings):
        raise DataError(problem, file=file, field=key)
    return settings


def _contradictions(settings: Settings) -> list[tuple[str, str]]:
    """What each value alone may be, but not beside the others."""
    collect, review = settings.collect, settings.review
    has_pool = settings.pool is not None or settings.filter is not None
    found = []
    if not settings.out or Path(settings.out) == Path():
        found.append(
            ("out", "name a folder of its own: what a stage left is removed before it runs")
        )
    if settings.pool is not None and settings.filter is not None:
        found.append(("pool", "and [filter] exclude one another"))
    if (collect.raw is None) == (collect.campaign is None):
        found.append(("collect", "name either raw (dialogues) or campaign (a file to rehearse)"))
    if collect.campaign is not None and not (has_pool and settings.images):
        found.append(("collect.campaign", "needs photos: [filter] or pool, and [images]"))
    if settings.images and settings.images.download and not has_pool:
        found.append(("images.download", "needs a pool: [filter] or pool"))
    if settings.retrieval and not settings.images:
        found.append(("retrieval", "needs the pictures: [images]"))
    if review and bool(review.votes) == bool(review.simulated):
        found.append(("review", "name either votes or simulated reviewers"))
    for section, keys in msgspec.to_builtins(settings).items():
        for key, value in keys.items() if isinstance(keys, dict) else ():
            texts = value if isinstance(value, list | tuple) else [value]
            if any(isinstance(text, str) and holds_password(text) for text in texts):
                found.append((f"{section}.{key}", f"holds a password: {INSTEAD}"))
    return found
