"""What was measured of a run, as kept in its folder: RUN/metrics.json and RUN/ranks/SPLIT.json."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from modeling.metrics import Estimate
from modeling.retrieval.metrics import ThemeRow
from modeling.retrieval.runs import RunFile
from photochat.atomic import atomic_file
from photochat.errors import UNDECODABLE, DataError

RANKS = "ranks"

Pool = Literal["split", "all"]


class Comparison(msgspec.Struct, frozen=True):
    """This run less another on the same queries; how many only one of them answers at rank 1."""

    other: str
    differences: dict[str, Estimate]
    only_this: int
    only_other: int


class RetrievalEvaluation(msgspec.Struct, frozen=True, kw_only=True):
    """What a run reaches on a split, in percent (ranks apart), and what it was measured on.

    `available` counts the photos that have a picture, `without_picture` the queries whose photo has
    none, which are not found; `problems` says why, by reason; of a model that looks at no pictures
    all are available. `without_descriptors` counts the queries that a run of descriptors read by
    their talk alone. `same_labels` holds precision where every photo with the right photo's labels
    counts as right. `baselines` are recalls by chance and of BM25 on the same queries.
    Where identities are known, every photo of one counts as right in `metrics` (the best of them)
    and `by_identity`, and `one_photo` counts the identities that have a single photo.
    """

    split: str
    pool: Pool
    dialogues: int
    queries: int
    left_out: dict[str, int]
    photos: int
    available: int
    without_picture: int
    problems: dict[str, int]
    metrics: dict[str, Estimate]
    same_labels: dict[str, Estimate]
    right_photos: float
    baselines: dict[str, dict[str, float]]
    by_theme: list[ThemeRow]
    comparison: Comparison | None
    data_hash: str
    run: RunFile
    versions: dict[str, str]
    without_descriptors: int = 0
    by_identity: dict[str, Estimate] = {}
    one_photo: int = 0


class RankFile(msgspec.Struct, frozen=True):
    """The ranks of a run on a split, query by query, with the keys of the best photos.

    `problems` says, by key, why a photo has no picture.
    """

    data_hash: str
    dialogue_ids: list[int]
    ranks: list[int]
    photos: list[str]
    best: list[list[str]]
    scores: list[list[float]]
    problems: dict[str, str]


def read_ranks(folder: Path, split: str, data_hash: str | None = None) -> RankFile:
    """Read the ranks of a run on a split, and see that they are of the examples of that hash.

    Raises:
        DataError: the run was not measured there, or on other examples; the file is damaged.
    """
    file = folder / RANKS / f"{split}.json"
    try:
        found = msgspec.json.decode(file.read_bytes(), type=RankFile)
    except OSError as error:
        raise DataError(
            f"was not measured on {split}: photochat evaluate it there first", file=folder
        ) from error
    except UNDECODABLE as error:
        raise DataError(f"is damaged ({error})", file=file) from error
    if data_hash is not None and found.data_hash != data_hash:
        raise DataError(f"was measured on another {split} split, or another pool", file=folder)
    return found


def write_ranks(folder: Path, split: str, ranks: RankFile) -> None:
    """Keep the ranks on a split.

    Raises:
        DataError: the file cannot be written.
    """
    with atomic_file(folder / RANKS / f"{split}.json") as part:
        part.write_bytes(msgspec.json.encode(ranks))
