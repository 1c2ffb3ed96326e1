"""The demonstration: the whole chain on the made-up sample, as a newcomer's first pipeline."""

from __future__ import annotations

import os
import shutil
import sys
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photochat.atomic import atomic_file
from photochat.cli.computing import has_models
from photochat.cli.output import Force, note
from photochat.cli.pipeline import open_pipeline, run_pipeline
from photochat.cli.typed import announce
from photochat.errors import DataError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

SAMPLE_FILES = ("open_images", "campaign.toml")
PIPELINE = "pipeline.toml"
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
    sample = resources.files("photochat") / "sample"
    for name in SAMPLE_FILES:
        _copy(sample / name, out / name)
    _write_pipeline(sample / PIPELINE, file)

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


def _write_pipeline(source: Traversable, target: Path) -> None:
    """Write the sample's pipeline file, with small networks where they can be trained."""
    text = source.read_text(encoding="utf-8")
    if has_models():
        text = text.replace(BASELINE, NETWORK) + RETRIEVAL
    with atomic_file(target) as part:
        part.write_text(text, encoding="utf-8")


def _copy(source: Traversable, target: Path) -> None:
    """Copy a file, or a folder of files."""
    if source.is_dir():
        for file in source.iterdir():
            _copy(file, target / file.name)
        return
    with atomic_file(target) as part:
        part.write_bytes(source.read_bytes())
