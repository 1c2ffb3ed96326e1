"""The demonstration: the commands a newcomer would type, run one after the other on the sample."""

from __future__ import annotations

import shlex
import time
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photochat.atomic import atomic_file
from photochat.cli.output import Force

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

SEED = "1"
CONTACT_SHEET_SEED = "93"  # draws the four real pictures
SUBSETS = ("train", "validation", "test")  # of Open Images
EVALUATED_DIALOGUES = "20"  # of the sample's 128, in dev and in test each


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(demo)


def demo(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="Folder to write.", metavar="DIR")] = Path("demo"),
    force: Force = False,
) -> None:
    """Run the toolkit on its made-up sample.

    Each step is a command that you can type yourself; the files stay in DIR.

    Example: photochat demo --out demo
    """
    from photochat.errors import DataError
    from photochat.pool import read_pool
    from photochat.sample_pictures import write_pictures

    if not force and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError("is not empty: name another folder, or add --force", file=out)
    replace = ["--force"] if force else []
    sample = out / "dialogues.json"
    annotations = out / "open_images"
    pool = out / "pool.parquet"
    images = out / "images"
    release = str(out / "release")
    _copy(resources.files("photochat") / "sample" / "dialogues.json", sample)
    for file in (resources.files("photochat") / "sample" / "open_images").iterdir():
        _copy(file, annotations / file.name)
    boxes = [f"{annotations}/{subset}-annotations-bbox.csv" for subset in SUBSETS]
    steps = [
        (
            "Which photos would people share?",
            ["filter", *(part for file in boxes for part in ("--boxes", file)),
             "--classes", f"{annotations}/class-descriptions.csv",
             "--hierarchy", f"{annotations}/class-hierarchy.json",
             "--metadata", f"{annotations}/image_ids_and_rotation.csv", "--out", str(pool)],
        ),
        (
            "Look at some of them.",
            ["contact-sheet", str(pool), "--images", str(images), "--n", "24", "--seed",
             CONTACT_SHEET_SEED,
             "--out", f"{out}/contact-sheet.png"],
        ),
        ("What is wrong with the dialogues?", ["validate", str(sample)]),
        (
            "Cut them into splits without a leak.",
            ["split", str(sample), "--out", release, "--dev", EVALUATED_DIALOGUES, "--test",
             EVALUATED_DIALOGUES, "--seed", SEED, *replace],
        ),
        ("Count them as the paper does.", ["stats", release, "--plots", str(out / "plots")]),
        ("How far does BM25 get?", ["evaluate", "bm25", "--data", release, "--split", "test"]),
        (
            "Make them ready to publish.",
            ["package", release, "--out", str(out / "package"), "--name", "photochat-sample",
             "--license", "apache-2.0", *replace],
        ),
    ]  # fmt: skip
    root = context.find_root().command
    start = time.monotonic()
    for title, arguments in steps:
        print(f"\n\033[1m{title}\033[0m\n$ photochat {shlex.join(arguments)}", flush=True)
        root.main(arguments, prog_name="photochat", standalone_mode=False)
        if arguments[0] == "filter":
            photos = read_pool(pool)
            real = write_pictures(photos, images)
            print(f"\n(The sample has no picture files: {len(photos) - real} are drawn from their "
                  f"boxes, {real} come with scikit-image.)")  # fmt: skip
    seconds = time.monotonic() - start
    print(
        f"\nDone in {seconds:.0f} s. Look at {out}/contact-sheet.png, {out}/plots and "
        f"{out}/package/README.md, or run the same commands on your own files."
    )


def _copy(source: Traversable, target: Path) -> None:
    with atomic_file(target) as part:
        part.write_bytes(source.read_bytes())
