"""Commands on releases: validate, stats, split, convert, package."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from photochat.cli.output import AsJson, Force, Seed, note, print_json, print_table
from photochat.cli.overwriting import keep_inputs

Paths = Annotated[
    list[Path],
    typer.Argument(
        help="Folders or files of dialogues (.json, .jsonl, .parquet).", metavar="PATH..."
    ),
]
SHOWN_PER_KIND = 5


class Format(str, Enum):
    """A format that dialogues are written in."""

    JSON = "json"
    JSONL = "jsonl"
    PARQUET = "parquet"


def register(app: typer.Typer) -> None:
    """Add the commands of this file to the command line."""
    for command in (validate, stats, split, convert, package):
        app.command()(command)


def validate(
    paths: Paths,
    show_all: Annotated[
        bool, typer.Option("--all", help=f"Show every problem, not {SHOWN_PER_KIND} of each kind.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Find every problem in a release.

    Each is named by file, dialogue, turn and field, grouped by kind and counted.

    Exit status: 0 clean, 1 findings, 2 records or files that cannot be read.

    Example: photochat validate release/
    """
    from photochat.validation import KINDS, UNREADABLE
    from photochat.validation import validate as run

    result = run(*paths)
    if as_json:
        print_json(result)
    else:
        for kind, count in result.counts.items():
            print(f"{kind} ({count:,}): {KINDS[kind]}")
            same = [problem for problem in result.problems if problem.kind == kind]
            shown = same if show_all else same[:SHOWN_PER_KIND]
            for problem in shown:
                print(f"  {_place(problem)}")
            if len(same) > len(shown):
                print(f"  ... and {len(same) - len(shown):,} more (--all shows them)")
        unreadable = result.unreadable_records
        print(
            f"{result.dialogues:,} dialogues read from {result.files:,} files, "
            f"{unreadable:,} records unreadable, {len(result.problems):,} problems"
        )
    return 2 if UNREADABLE in result.counts else 1 if result.problems else 0


def stats(
    paths: Paths,
    plots: Annotated[
        Path | None, typer.Option(help="Write plots (PNG and SVG) into this folder.", metavar="DIR")
    ] = None,
    published_spelling: Annotated[
        bool,
        typer.Option(
            "--published-spelling",
            help="Count themes by Table 5 as printed, where Refrigerator matches nothing.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Count a release as the paper does (Tables 1 and 3).

    Counts are per split and in total, with the mean turns before the photo; dialogues marked as
    synthetic have rows of their own.

    Example: photochat stats release/ --plots plots/
    """
    from photochat.plots import write_plots
    from photochat.release import read_release
    from photochat.statistics import stats as run
    from photochat.themes import THEMES

    parts = run(read_release(*paths), as_published=published_spelling)
    written = write_plots(parts, plots) if plots else []
    if as_json:
        print_json(parts)
    else:
        print_table(
            ["split", "photos", "dialogues", *THEMES, "turns", "turns*", "tokens"],
            [
                [name, p.images, p.dialogues, *p.themes.values(), p.turns, p.merged_turns, p.tokens]
                for name, p in parts.items()
            ],
        )
        print()
        print_table(
            ["split", "negatives", "positives", "turns/dialogue", "before photo", "before photo*",
             "tokens/turn", "tokens/turn*"],
            [
                [name, p.intent_negatives, p.intent_positives, p.mean_turns,
                 p.mean_turns_before_share, p.mean_merged_turns_before_share, p.tokens_per_turn,
                 p.tokens_per_merged_turn]
                for name, p in parts.items()
            ],
        )  # fmt: skip
        print("\n* consecutive messages of one speaker as one turn; photo turns are not counted")
        print("\nturns before the photo (dialogues):")
        for name, p in parts.items():
            spread = "  ".join(f"{turns}: {count}" for turns, count in p.shares_by_position.items())
            print(f"  {name}  {spread or 'none'}")
    for name, p in parts.items():
        if p.without_share or p.several_shares:
            note(
                f"{name}: {p.dialogues:,} dialogues counted; {p.without_share} without a photo "
                f"turn (no positive example), {p.several_shares} with several (the first counts)"
            )
    if written:
        note(f"wrote {len(written)} plots to {plots}")


def split(
    paths: Paths,
    out: Annotated[Path, typer.Option(help="Folder to write; new or empty.", metavar="DIR")],
    dev: Annotated[int, typer.Option(help="Dialogues in dev.", min=0)],
    test: Annotated[int, typer.Option(help="Dialogues in test.", min=0)],
    seed: Seed = 0,
    previous: Annotated[
        Path | None,
        typer.Option(help="An earlier release: its dialogues stay in their splits.", metavar="DIR"),
    ] = None,
    with_synthetic: Annotated[
        bool,
        typer.Option("--with-synthetic", help="Take dialogues in that a language model made."),
    ] = False,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Cut dialogues into train, dev and test.

    Dev and test hold one dialogue a photo, and photos that stand in no other split; the themes are
    spread evenly. The result does not depend on the order of the input. Dialogues marked as
    synthetic are left out unless they are asked for.
    What was cut and what was left out stands in DIR/split.json too.

    Example: photochat split accepted.jsonl --out release --dev 1000 --test 1000 --seed 1
    """
    import msgspec

    from photochat.release import read_release, write_release
    from photochat.split import split as run
    from photochat.themes import THEMES

    splits, report = run(
        read_release(*paths).dialogues,
        dev=dev,
        test=test,
        seed=seed,
        previous=read_release(previous) if previous else None,
        with_synthetic=with_synthetic,
    )
    summary = msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"
    write_release(splits, out, replace=force, extra_files={"split.json": summary})
    if as_json:
        print_json(report)
    else:
        print_table(
            ["split", "photos", "dialogues", *(f"% {theme}" for theme in THEMES)],
            [
                [name, report.photos.get(name), report.dialogues.get(name, report.used),
                 *shares.values()]
                for name, shares in report.theme_shares.items()
            ],
        )  # fmt: skip
    note(
        f"used {report.used:,} of {report.read:,} dialogues"
        + (f", {report.kept_from_previous:,} where they were" if previous else "")
        + f"; wrote {out}"
    )
    if report.missing_from_input:
        note(f"{report.missing_from_input:,} dialogues of {previous} are not in the input")
    reasons = [item.reason for item in report.left_out]
    for reason in sorted(set(reasons)):
        note(f"left out {reasons.count(reason):,}: {reason} (ids in {out}/split.json)")


def convert(
    paths: Annotated[
        list[Path],
        typer.Argument(
            help="Folders or files to read, then the file or folder to write.", metavar="IN... OUT"
        ),
    ],
    to: Annotated[
        Format | None, typer.Option(help="Format; by default the suffix of OUT, else json.")
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Write dialogues in another format.

    A folder keeps the splits, a file holds one. OUT is a file if its suffix is the format's.

    Example: photochat convert release/ release-parquet/ --to parquet
    """
    from photochat.errors import DataError
    from photochat.records import SUFFIXES, write_records
    from photochat.release import read_release, write_release

    if len(paths) < 2:
        raise DataError("name what to read and what to write", file="convert")
    *sources, out = paths
    release = read_release(*sources)
    inputs = [*sources, *(file.path for file in release.files)]
    keep_inputs(out, inputs, replace=force)
    suffixes = [f".{to.value}"] if to else SUFFIXES
    as_file = out.suffix in suffixes and not out.is_dir()
    if as_file and len(release.splits) > 1:
        raise DataError(
            "a file holds one split: name a folder without a suffix, and its format with --to",
            file=out,
        )
    if as_file:
        write_records(out, release.dialogues)
    else:
        write_release(release.splits, out, f".{to.value if to else 'json'}", replace=force)
    counts = {split: len(dialogues) for split, dialogues in release.splits.items()}
    if as_json:
        print_json({"out": str(out), "dialogues": counts})
    note(f"wrote {sum(counts.values()):,} dialogues to {out}")


def package(
    release: Annotated[Path, typer.Argument(help="A release folder.", metavar="DIR")],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder to write; by default DIR-package.", metavar="DIR"),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the data set.")] = None,
    version: Annotated[str, typer.Option(help="Its version.")] = "1.0.0",
    license: Annotated[str | None, typer.Option(help="Its licence, e.g. cc-by-4.0.")] = None,
    creator: Annotated[str | None, typer.Option(help="Who made it.")] = None,
    contact: Annotated[str | None, typer.Option(help="Whom to ask.")] = None,
    url: Annotated[str | None, typer.Option(help="Where it stands.")] = None,
    language: Annotated[str, typer.Option(help="Its language, e.g. en.")] = "en",
    citation: Annotated[str | None, typer.Option(help="How to cite it.")] = None,
    date_published: Annotated[
        str | None, typer.Option(help="When it is published, as 2026-01-31.")
    ] = None,
    keep_keys: Annotated[
        bool, typer.Option("--keep-keys", help="Keep keys beyond the published layout.")
    ] = False,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Make a release ready to publish.

    Writes JSON, Parquet, Croissant metadata and a data card filled in from the data.

    Example: photochat package release/ --name my-chats --license cc-by-4.0 --creator "My Lab"
    """
    from photochat.package import About
    from photochat.package import package as run

    stated = {
        "license": license, "creator": creator, "contact": contact, "url": url,
        "citation": citation, "date_published": date_published,
    }  # fmt: skip
    folder = release.resolve()
    about = About(
        name=name or folder.name,
        version=version,
        language=language,
        **{key: value for key, value in stated.items() if value is not None},
    )
    result = run(
        release,
        out or folder.with_name(f"{folder.name}-package"),
        about,
        keep_keys=keep_keys,
        replace=force,
    )
    if as_json:
        print_json(result)
    else:
        for file, size in result.files.items():
            print(f"{size:>12,}  {file}")
    note(f"wrote {sum(result.dialogues.values()):,} dialogues to {result.folder}")
    if result.left_out_keys:
        note(f"left out keys beyond the layout (--keep-keys): {', '.join(result.left_out_keys)}")


def _place(problem: object) -> str:
    from photochat.validation import Problem

    assert isinstance(problem, Problem)
    parts = [problem.file]
    if problem.dialogue_id is not None:
        parts.append(f"id {problem.dialogue_id}")
    if problem.turn is not None:
        parts.append(f"turn {problem.turn}")
    parts += [part for part in (problem.field, problem.message) if part]
    return ": ".join(parts)
