"""Queries beside the photos found for them, as the paper's Figures 5 and 6 show: one HTML file.

The right photo is framed green, others red. What is shown is a fair look, not the best or the
worst: of each group of ranks, queries at equal distances.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from modeling.pages import write_page
from modeling.retrieval.examples import GalleryPhoto, Query, RetrievalExamples
from modeling.retrieval.identities import identity_numbers
from modeling.retrieval.ranking import Ranked
from modeling.retrieval.results import RetrievalEvaluation
from modeling.retrieval.thumbnails import thumbnails
from photochat.dialogue import Utterance

PACKAGE = "modeling.retrieval"
# What a group is called, its first and last rank (0: no bound), and how many queries it shows.
GROUPS = (("Found at once", 1, 1, 6), ("Among the first ten", 2, 10, 10), ("Missed", 11, 0, 16))
SHOWN_TURNS = 12  # the newest


class Card(msgspec.Struct, frozen=True):
    """A photo as shown: its data URL ("" where there is none), caption, place and colour."""

    picture: str
    caption: str
    place: str
    mark: str  # "right", "wrong" or ""


class Row(msgspec.Struct, frozen=True):
    """A query as shown: who said what, the photo that came (if known), and what was found."""

    title: str
    turns: tuple[tuple[str, str], ...]
    left_out: int
    gold: Card | None
    found: tuple[Card, ...]


class Group(msgspec.Struct, frozen=True):
    """Rows under a heading; `queries` counts also those that are not shown."""

    title: str
    queries: int
    rows: tuple[Row, ...]


def write_gallery(
    file: Path,
    result: RetrievalEvaluation,
    examples: RetrievalExamples,
    ranked: Ranked,
    images: Path | None,
    run: str,
) -> None:
    """Write the gallery of an evaluation.

    Raises:
        DataError: the file cannot be written.
    """
    chosen = [(title, *_spread(ranked, first, last, most)) for title, first, last, most in GROUPS]
    places = [i for _, _, queries in chosen for i in queries]
    shown = {photo for i in places for photo in (examples.queries[i].photo, *ranked.best[i])}
    pictures = _pictures([examples.photos[photo] for photo in sorted(shown)], images)
    groups = [
        Group(title, count, tuple(_row(examples, ranked, i, pictures) for i in queries))
        for title, count, queries in chosen
    ]
    write_page(
        file,
        PACKAGE,
        "gallery.html.j2",
        title=f"Photos found: {run}, {result.split}",
        about=f"{result.queries:,} queries, {result.photos:,} photos. "
        "The photo that was shared has a green frame, others a red one.",
        groups=[group for group in groups if group.queries],
    )


def write_sheet(
    file: Path,
    title: str,
    queries: Sequence[Query],
    found: Sequence[Sequence[tuple[GalleryPhoto, float]]],
    images: Path | None,
) -> None:
    """Write what a search found, a row a query.

    Raises:
        DataError: the file cannot be written.
    """
    pictures = _pictures([photo for row in found for photo, _ in row], images)
    rows = tuple(
        Row(
            f"Dialogue {query.dialogue_id}" if len(queries) > 1 else "",
            *_talk(query.turns),
            None,
            tuple(
                _card(photo, pictures, f"{place}. {score:.3f}", "")
                for place, (photo, score) in enumerate(row, start=1)
            ),
        )
        for query, row in zip(queries, found, strict=True)
    )
    write_page(
        file, PACKAGE, "gallery.html.j2", title=title, about="", groups=[Group("", len(rows), rows)]
    )


def _spread(ranked: Ranked, first: int, last: int, most: int) -> tuple[int, list[int]]:
    """Return how many queries have such ranks, and some of them at equal distances by rank."""
    ranks = ranked.ranks
    within = np.flatnonzero((ranks >= first) & ((ranks <= last) | (last == 0)))
    ordered = within[np.argsort(ranks[within], kind="stable")]
    count = min(most, len(ordered))
    steps = np.linspace(0, max(len(ordered) - 1, 0), count).round().astype(np.int64)
    return len(within), ordered[steps].tolist()


def _row(examples: RetrievalExamples, ranked: Ranked, i: int, pictures: dict[str, str]) -> Row:
    query, numbers = examples.queries[i], identity_numbers(examples)
    found = tuple(
        _card(
            examples.photos[photo],
            pictures,
            f"{place}.",
            "right" if numbers[photo] == numbers[query.photo] else "wrong",
        )
        for place, photo in enumerate(ranked.best[i], start=1)
    )
    gold = _card(examples.photos[query.photo], pictures, f"rank {ranked.ranks[i]:,}", "right")
    return Row(f"Dialogue {query.dialogue_id}", *_talk(query.turns), gold, found)


def _talk(turns: Sequence[Utterance]) -> tuple[tuple[tuple[str, str], ...], int]:
    """Return the newest turns, and how many are left out."""
    newest = turns[-SHOWN_TURNS:]
    return tuple((str(turn.user_id), turn.text) for turn in newest), len(turns) - len(newest)


def _card(photo: GalleryPhoto, pictures: dict[str, str], place: str, mark: str) -> Card:
    caption = ", ".join(photo.labels) or photo.key
    return Card(pictures.get(photo.key, ""), caption, place, mark)


def _pictures(photos: Sequence[GalleryPhoto], images: Path | None) -> dict[str, str]:
    return {} if images is None else thumbnails(photos, images)
