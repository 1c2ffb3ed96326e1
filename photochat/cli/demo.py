"""The demonstration: the commands a newcomer would type, run one after the other on the sample."""

from __future__ import annotations

import shlex
import time
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from photochat.atomic import atomic_file
from photochat.cli.output import Force

SEED = "1"
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

    if not force and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError("is not empty: name another folder, or add --force", file=out)
    replace = ["--force"] if force else []
    sample = out / "dialogues.json"
    with atomic_file(sample) as part:
        part.write_bytes((resources.files("photochat") / "sample" / "dialogues.json").read_bytes())
    release = str(out / "release")
    steps = [
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
    seconds = time.monotonic() - start
    print(
        f"\nDone in {seconds:.0f} s. Look at {out}/plots and {out}/package/README.md, "
        "or run the same commands on your own files."
    )
