"""Commands from Open Images to a photo pool: filter, sample."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Optional

import typer

from photochat.cli.output import AsJson, Seed, note, print_json, print_table

if TYPE_CHECKING:
    from filtering.report import FilterReport

Files = list[Path]


def register(app: typer.Typer) -> None:
    """Add the commands of this file to the command line."""
    app.command("filter")(filter_)
    app.command("sample")(sample)


def filter_(
    boxes: Annotated[
        Files, typer.Option("--boxes", metavar="FILE", help="Box annotations; repeat for several.")
    ],
    classes: Annotated[
        Files,
        typer.Option("--classes", metavar="FILE", help="Class descriptions; repeat for several."),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The pool to write.")],
    hierarchy: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads annotations at run time on Python 3.10 too
        typer.Option(metavar="FILE", help="Class hierarchy JSON. Without it a Dog is no Animal."),
    ] = None,
    metadata: Annotated[
        Optional[Files],  # noqa: UP045
        typer.Option(metavar="FILE", help="Image metadata; repeat for several."),
    ] = None,
    image_labels: Annotated[
        Optional[Files],  # noqa: UP045
        typer.Option(metavar="FILE", help="Human-verified image labels; repeat for several."),
    ] = None,
    subset: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="NAME", help="Subset of photos; else by metadata or file name."),
    ] = None,
    size: Annotated[
        Literal["both", "either"],
        typer.Option(help="Which of width and height of a person must be 0.3 (footnote 3)."),
    ] = "both",
    group_of: Annotated[
        Literal["keep", "drop"], typer.Option(help="May boxes around a group bring a photo in?")
    ] = "keep",
    depictions: Annotated[
        Literal["keep", "drop"], typer.Option(help="May boxes around a drawing or model do?")
    ] = "keep",
    label_source: Annotated[
        Literal["boxes", "boxes+image-labels"],
        typer.Option(help="What may bring a photo in; image labels never for people."),
    ] = "boxes",
    engine: Annotated[
        Literal["duckdb", "spark"], typer.Option(help="Where the selection runs.")
    ] = "duckdb",
    memory_limit: Annotated[
        str, typer.Option(metavar="SIZE", help="DuckDB's share of memory; it spills beyond.")
    ] = "800MB",
    as_json: AsJson = False,
) -> None:
    """Select photos by the paper's section 3.1 from Open Images' files: pool.parquet and report.

    Example: photochat filter --boxes validation-annotations-bbox.csv
    --classes class-descriptions-boxable.csv --hierarchy bbox_labels_600_hierarchy.json
    --out pool.parquet
    """
    from filtering.filter import Inputs, filter_photos
    from filtering.query import Rules

    report = filter_photos(
        Inputs(
            tuple(boxes),
            tuple(classes),
            hierarchy,
            tuple(metadata or ()),
            tuple(image_labels or ()),
        ),
        out,
        rules=Rules(size, group_of, depictions, label_source),
        subset=subset,
        engine=engine,
        memory_limit=memory_limit,
        say=lambda line: note(f"photochat filter: {line}"),
    )
    if as_json:
        print_json(report)
    else:
        _print_funnel(report)


def sample(
    pool: Annotated[Path, typer.Argument(metavar="POOL", help="A pool.parquet.")],
    n: Annotated[int, typer.Option("--n", metavar="N", help="How many photos to draw.", min=1)],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The pool to write.")],
    seed: Seed = 0,
    balance: Annotated[
        Literal["none", "themes"], typer.Option(help="Let the four themes take turns.")
    ] = "none",
    as_json: AsJson = False,
) -> None:
    """Draw photos from a pool at random: the same ones whatever the order of its rows.

    Example: photochat sample pool.parquet --n 1000 --seed 7 --balance themes --out sample.parquet
    """
    from filtering.sample import sample_pool

    report = sample_pool(pool, out, n=n, seed=seed, balance=balance)
    if as_json:
        print_json(report)
    else:
        print_table(
            ["photos", "drawn", *report.themes],
            [[report.pool, report.drawn, *report.themes.values()]],
        )


def _print_funnel(report: FilterReport) -> None:
    funnel = report.funnel
    steps = [
        ("boxes read", funnel.boxes_read),
        ("images read", funnel.images_read),
        ("images with a label of Table 5", funnel.images_with_theme_label),
        ("  dropped: people at the margin", funnel.images_dropped_people_at_margin),
        ("  dropped: people too small", funnel.images_dropped_people_too_small),
        ("  dropped: group or depiction", funnel.images_dropped_as_group_or_depiction),
        ("photos kept", funnel.photos_kept),
        ("  with people, none of them main", funnel.photos_kept_without_main_person),
        ("people boxes", funnel.people_boxes),
        ("  at the margin", funnel.people_boxes_at_margin),
        ("  too small", funnel.people_boxes_too_small),
        ("  main object", funnel.people_boxes_main),
    ]
    print_table(["step", "count"], steps)
    print()
    print_table(
        ["theme", "images with label", "photos kept"],
        [(t.theme, t.images_with_label, t.photos_kept) for t in report.themes],
    )
