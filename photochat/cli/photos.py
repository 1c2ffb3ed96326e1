"""Commands on the photos of a pool: download, browse, curate, contact-sheet."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photochat.cli.output import AsJson, Seed, note, print_json
from photochat.errors import DataError

if TYPE_CHECKING:
    from filtering.download import Outcome
    from photochat.photo import Photo

Pool = Annotated[Path, typer.Argument(help="The pool.parquet that `photochat filter` wrote.")]
Images = Annotated[
    Path, typer.Option("--images", help="Folder of pictures, DIR/<photo_id>.jpg.", metavar="DIR")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this file to the command line."""
    app.command("download")(download)
    app.command("browse")(browse)
    app.command("curate")(curate)
    app.command("contact-sheet")(contact_sheet)


def download(
    pool: Pool,
    images: Images,
    bucket: Annotated[
        str | None, typer.Option(help="Another bucket than Open Images' own.", show_default=False)
    ] = None,
    endpoint_url: Annotated[
        str | None, typer.Option(help="Another S3 service than Amazon's: a mirror, a test server.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, max=256, help="Pictures fetched at a time.")] = 16,
    rate: Annotated[
        float | None, typer.Option(min=0.001, help="At most so many requests a second.")
    ] = None,
    max_bytes: Annotated[
        int, typer.Option(min=1, help="Leave out pictures of more bytes.")
    ] = 50_000_000,
    max_total_bytes: Annotated[
        int | None, typer.Option(min=1, help="Stop when so many bytes have come over the line.")
    ] = None,
    recheck: Annotated[
        bool, typer.Option(help="Decode the pictures already there before believing them.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Fetch the pool's pictures into DIR/<photo_id>.jpg; run it again to go on where it was.

    Exit status: 0 all pictures are there, 1 some are missing (DIR/download.failures.jsonl says
    why), 2 bad input.

    Example: photochat download pool.parquet --images photos/
    """
    from filtering import fetch
    from filtering.download import FAILURES_FILE, Limits
    from filtering.download import download as run
    from photochat.pool import read_pool

    photos = read_pool(pool)
    with _progress(len({photo.photo_id for photo in photos})) as advance:
        report = run(
            photos,
            images,
            client=fetch.open_bucket(endpoint_url, jobs=jobs),
            bucket=bucket or fetch.BUCKET,
            limits=Limits(
                jobs=jobs, rate=rate, max_bytes=max_bytes, max_total_bytes=max_total_bytes
            ),
            recheck=recheck,
            on_outcome=advance,
        )
    if as_json:
        print_json(report)
    else:
        print(
            f"{report.wanted:,} photos: {report.present:,} were there, "
            f"{report.downloaded:,} downloaded ({report.turned:,} turned upright, "
            f"{report.converted:,} converted to JPEG), {report.failed:,} failed, "
            f"{report.not_tried:,} not tried; {report.bytes / 1e6:,.1f} MB received"
        )
    if report.stopped:
        note(f"photochat: stopped early: {report.stopped}")
    if report.failures:
        note(f"photochat: the failures stand in {images / FAILURES_FILE}; run again to retry them")
    if not report.complete:
        raise typer.Exit(1)


def browse(
    pool: Pool,
    images: Images,
    dialogues: Annotated[
        Path | None, typer.Option(help="Show dialogues beside their photo: a release, a file.")
    ] = None,
    findings: Annotated[
        Path | None, typer.Option(help="Show what checks found in those dialogues (JSON lines).")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="The dataset's name; photochat-<folder>-<file> of the pool.")
    ] = None,
    duplicates_by: Annotated[
        str, typer.Option(help="Find near duplicates by a timm model, by thumbnails, or none.")
    ] = "auto",
    duplicates_weights: Annotated[
        Path | None, typer.Option(help="The model's weights in a file, not from the hub.")
    ] = None,
    remote: Annotated[
        bool, typer.Option("--remote", help="Listen only; open no browser on this machine.")
    ] = False,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="The app's port.")] = None,
    address: Annotated[
        str, typer.Option(help="Where the app listens; 0.0.0.0 lets anybody in, without password.")
    ] = "127.0.0.1",
    launch: Annotated[bool, typer.Option(help="Open the app once the dataset is made.")] = True,
    as_json: AsJson = False,
) -> None:
    """Look at the pool in FiftyOne; tag photos `exclude` there to drop them with curate.

    The dataset is made at the first run and brought up to date by later ones, which keep your tags.

    Example: photochat browse pool.parquet --images photos/
    """
    from filtering import browse as stage
    from filtering.embeddings import choose_embedder
    from photochat.cli.output import print_table
    from photochat.pool import read_pool

    photos = read_pool(pool)
    stage.load_fiftyone()
    embedder, remark = choose_embedder(duplicates_by, duplicates_weights)
    said, found = _talk(photos, dialogues, findings)
    report = stage.browse(
        photos,
        images,
        name=name or f"photochat-{pool.resolve().parent.name}-{pool.stem}",
        dialogues=said,
        findings=found,
        embedder=embedder,
    )
    if as_json:
        print_json(report)
    else:
        print(
            f"FiftyOne dataset {report.dataset}: {report.photos:,} photos "
            f"({report.added:,} new, {report.updated:,} updated)"
        )
        print_table(("saved view", "photos"), list(report.views.items()))
    _note_pictures(images, report.missing_images, report.broken_images)
    if report.not_in_pool:
        note(f"photochat: samples not in this pool, tagged not-in-pool: {report.not_in_pool:,}")
    if report.duplicates_by:
        remark = f": {remark}" if remark else ""
        note(f"photochat: near duplicates were looked for by {report.duplicates_by}{remark}")
    if launch:
        session = stage.launch(report.dataset, remote=remote, port=port, address=address)
        note(f"photochat: the app is at {session.url}; Ctrl-C ends it")
        with contextlib.suppress(KeyboardInterrupt):
            session.wait(-1)


def curate(
    pool: Pool,
    from_fiftyone: Annotated[
        str,
        typer.Option("--from-fiftyone", help="Name of the dataset in which photos were tagged."),
    ],
    out: Annotated[Path, typer.Option("--out", help="The pool to write.", metavar="FILE")],
    as_json: AsJson = False,
) -> None:
    """Write the pool without the photos that were tagged `exclude` in FiftyOne.

    Example: photochat curate pool.parquet --from-fiftyone NAME --out curated.parquet
    """
    from filtering import curate as stage
    from photochat.pool import read_pool, write_pool

    photos = read_pool(pool)
    kept, report = stage.curate(photos, from_fiftyone)
    write_pool(out, kept)
    if as_json:
        print_json(report)
    else:
        print(
            f"{report.read:,} photos: {report.excluded:,} excluded, {report.kept:,} kept in {out}"
        )
    if report.only_in_pool:
        note(
            f"photochat: photos that the dataset does not have, kept: {len(report.only_in_pool):,}"
        )
    if report.only_in_dataset:
        note(f"photochat: samples that the pool does not have: {len(report.only_in_dataset):,}")


def contact_sheet(
    pool: Pool,
    images: Images,
    out: Annotated[Path, typer.Option("--out", help="A .png or .html to write.", metavar="FILE")],
    n: Annotated[int, typer.Option("--n", min=1, help="How many photos, at random.")] = 48,
    seed: Seed = 0,
    theme: Annotated[
        str | None, typer.Option(help="Only photos of one theme: people, food, animal, product.")
    ] = None,
    columns: Annotated[int, typer.Option(min=1, max=50, help="Photos a row.")] = 6,
    as_json: AsJson = False,
) -> None:
    """Show photos of the pool with boxes and labels on one page, without FiftyOne.

    Example: photochat contact-sheet pool.parquet --images photos/ --out sheet.html
    """
    from filtering import contact_sheet as stage
    from photochat.pool import read_pool

    report = stage.contact_sheet(
        read_pool(pool), images, out, n=n, seed=seed, theme=theme, columns=columns
    )
    if as_json:
        print_json(report)
    else:
        print(f"{report.shown:,} of {report.matching:,} photos in {report.out}")
    _note_pictures(images, report.missing_images, report.broken_images)


def _talk(
    photos: Sequence[Photo], dialogues: Path | None, findings: Path | None
) -> tuple[dict[str, list[str]] | None, dict[str, list[str]] | None]:
    """Read what was said about the photos and what was found in it; say what is about none."""
    if dialogues is None:
        if findings is not None:
            raise DataError("needs --dialogues, to know the photo of each", field="--findings")
        return None, None
    from filtering import conversations
    from photochat.release import read_release

    pairs = conversations.photo_of_dialogue(read_release(dialogues).dialogues, photos)
    said = conversations.dialogue_texts(pairs)
    if said.elsewhere:
        note(f"photochat: dialogues about no photo of the pool, not shown: {said.elsewhere:,}")
    if findings is None:
        return said.texts, None
    found = conversations.finding_texts(conversations.read_findings(findings), pairs)
    if found.elsewhere:
        note(f"photochat: findings about no photo of the pool, not shown: {found.elsewhere:,}")
    return said.texts, found.texts


def _note_pictures(images: Path, missing: int, broken: int) -> None:
    if missing:
        note(f"photochat: pictures missing from {images}: {missing:,} (photochat download)")
    if broken:
        note(f"photochat: files in {images} that are no pictures: {broken:,} (photochat download)")


@contextlib.contextmanager
def _progress(total: int) -> Iterator[Callable[[Outcome, int], None]]:
    """Yield what counts a photo on a progress bar on stderr, or nothing where nobody watches."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("photos"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[failed]}"),
    )
    watched = sys.stderr.isatty()
    failed = 0
    with Progress(*columns, console=Console(stderr=True), disable=not watched) as bar:
        task = bar.add_task("photos", total=total, rate="", failed="")

        def advance(outcome: Outcome, received: int) -> None:
            nonlocal failed
            failed += outcome.result == "failed"
            state = bar.tasks[0]
            seconds = state.elapsed or 0.0
            rate = (
                f"{(state.completed + 1) / seconds:,.1f}/s {received / seconds / 1e6:,.1f} MB/s"
                if seconds
                else ""
            )
            bar.update(task, advance=1, rate=rate, failed=f"{failed:,} failed" if failed else "")

        yield advance
