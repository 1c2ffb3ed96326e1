"""The command that looks for photos: search."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from photochat.cli.computing import Device, DeviceName, needs_models
from photochat.cli.output import AsJson, note, print_json, print_table
from photochat.cli.train_retrieval import Images


class IndexName(str, Enum):
    """How the best photos are found."""

    EXACT = "exact"
    FAISS = "faiss"


def register(app: typer.Typer) -> None:
    """Add the commands of this file to the command line."""
    app.command()(search)


def search(
    run: Annotated[Path, typer.Argument(help="A run folder that train retrieval wrote.")],
    query: Annotated[
        str,
        typer.Argument(help="A text, or a file of dialogues (.json, .jsonl, .parquet)."),
    ],
    images: Images = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Search the photos of this release, labels known.", metavar="DIR"),
    ] = None,
    top: Annotated[int, typer.Option(help="How many photos to find.", min=1)] = 10,
    index: Annotated[
        IndexName,
        typer.Option(help="Compare with all photos, or through FAISS: for large galleries."),
    ] = IndexName.EXACT,
    sheet: Annotated[
        Path | None, typer.Option(help="Write the photos found as a web page too.", metavar="FILE")
    ] = None,
    device: Device = DeviceName.AUTO,
    as_json: AsJson = False,
) -> None:
    """Find the photos that suit a text, or a dialogue up to its photo.

    The gallery is every picture under --images, or the photos of the release --data, whose pictures
    lie under --images where the model looks at them. Its vectors are kept in RUN/vectors.

    Example: photochat search runs/clip "we hiked up to the lake" --images photos --sheet found.html
    """
    needs_models()
    from modeling.retrieval.search import queries_of
    from modeling.retrieval.search import search as find
    from photochat.release import read_release

    queries = queries_of(query)
    answer = find(
        run,
        queries,
        images=images,
        release=None if data is None else read_release(data),
        top=top,
        index=index.value,
        sheet=sheet,
        device=device.value,
    )
    if as_json:
        print_json(answer)
    else:
        print_table(
            ["dialogue", "place", "score", "photo", "labels"],
            [
                [found.dialogue_id, place, hit.score, hit.photo, ", ".join(hit.labels)]
                for found in answer.found
                for place, hit in enumerate(found.hits, start=1)
            ],
        )
    if answer.problems:
        one, why = next(iter(answer.problems.items()))
        note(f"{len(answer.problems):,} photos left out for want of a picture; {one}: {why}")
    note(f"searched {answer.photos:,} photos" + (f"; see {sheet}" if sheet else ""))
