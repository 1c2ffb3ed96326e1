"""The demonstration: the whole chain on the made-up sample, as a newcomer's first pipeline."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from photochat.atomic import atomic_file
from photochat.cli.computing import has_models
from photochat.cli.output import Force, note
from photochat.cli.pipeline import open_pipeline, run_pipeline
from photochat.cli.typed import announce
from photochat.errors import DataError

PIPELINE, CAMPAIGN, BOXES = "pipeline.toml", "campaign.toml", "open_images"
# Of [intent] in the sample's file; networks for both tasks where the models extra is installed.
BASELINE, NETWORK = 'preset = "tfidf"', 'preset = "tiny"'
RETRIEVAL = '\n[retrieval]\npreset = "tiny"\n'


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(demo)


def demo(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="Folder to write.", metavar="DIR")] = Path("demo"),
    serve: Annotated[
        bool, typer.Option("--serve", help="Serve the chat on the sample, to try it by hand.")
    ] = False,
    port: Annotated[int, typer.Option(help="With --serve: the port.", min=0, max=65535)] = 8000,
    force: Force = False,
) -> None:
    """Run the toolkit on its made-up sample.

    Photos are filtered from Open Images files; simulated workers are recruited through an emulated
    Mechanical Turk, talk about them through the real chat server and are paid; their dialogues are
    checked, reviewed, split, counted, evaluated and packaged. DIR/results/report.html shows all of
    it. Each step is a command that you can type yourself; start from DIR/pipeline.toml.
    A file there that is not the sample's, or was changed, is not written over.

    Example: photochat demo --out demo
    """
    from photochat.pool import read_pool
    from photochat.sample_pictures import write_pictures

    file = out / PIPELINE
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not file.is_file())):
        if not force:
            raise DataError("is not empty: name another folder, or add --force", file=out)
    elif force:
        shutil.rmtree(out / "results", ignore_errors=True)
    sample = _sample()
    for name, contents in sample.items():
        if not force:
            _refuse_other(out / name, contents)
    for name, contents in sample.items():
        with atomic_file(out / name) as part:
            part.write_bytes(contents[0])

    root = context.find_root().command
    run_pipeline(open_pipeline(file), root, last="filter", quiet=True)
    opened = open_pipeline(file)
    pool, images = opened.places.pool, opened.places.images
    assert images is not None
    photos = read_pool(pool)
    if not images.is_dir():
        real = write_pictures(photos, images)
        note(
            f"\n(The sample has no picture files: {len(photos) - real} are drawn from their boxes, "
            f"{real} come with scikit-image.)"
        )
    if serve:
        words = ["serve", "--demo", "--pool", str(pool), "--images", str(images)]
        words += ["--db", f"sqlite:///{out}/try.db", "--port", str(port)]
        announce("Open two of the links in two browsers.", words)
        # A process of its own: the server patches sockets and threads before anything is imported.
        os.execv(sys.executable, [sys.executable, "-m", "photochat", *words])  # noqa: S606 - ourselves, no shell
    run_pipeline(opened, root)
    if not has_models():
        note("(Networks need the models extra: pip install 'photochat-toolkit[models]'.)")
    note(f"The same chain on your own files: photochat pipeline run, with a file like {file}")


def _sample() -> dict[str, tuple[bytes, ...]]:
    """Return what to write by name, each with what else it may have been written as before.

    The pipeline file has small networks where they can be trained.
    """
    sample = resources.files("photochat") / "sample"
    files = [CAMPAIGN, *(f"{BOXES}/{file.name}" for file in (sample / BOXES).iterdir())]
    text = (sample / PIPELINE).read_text(encoding="utf-8")
    plain, networks = text.encode(), (text.replace(BASELINE, NETWORK) + RETRIEVAL).encode()
    return {
        **{name: ((sample / name).read_bytes(),) for name in files},
        PIPELINE: (networks, plain) if has_models() else (plain, networks),
    }


def _refuse_other(file: Path, contents: Sequence[bytes]) -> None:
    """Refuse to write over a file that holds something else than the sample's."""
    sizes = {len(content) for content in contents}
    if file.exists() and (file.stat().st_size not in sizes or file.read_bytes() not in contents):
        raise DataError(
            "is not the sample's, and would be lost: name another folder, or add --force "
            "(your own files are for photochat pipeline run)",
            file=file,
        )
