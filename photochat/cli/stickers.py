"""Commands on conversations that end in a sticker: stickers validate, stats."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from photochat.cli.output import AsJson, note, print_json, print_table

StickerFolder = Annotated[
    Path,
    typer.Argument(
        help="A folder with train, valid, test (.json, .jsonl) and stickers/.", metavar="DIR"
    ),
]
Intentions = Annotated[
    Path | None,
    typer.Option(help="The intention tags, one a line; by default GoEmotions' 28.", metavar="FILE"),
]

stickers = typer.Typer(
    help="""Conversations answered by a sticker (StickerInt): validate, count, prepare.

    Example: photochat stickers stats stickerint/""",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def register(app: typer.Typer) -> None:
    """Add the commands on stickers to the command line."""
    app.add_typer(stickers, name="stickers")


def known_intentions(file: Path | None) -> tuple[str, ...]:
    """Return the tags of a file, or the paper's."""
    from photochat.stickers import INTENTIONS, read_intentions

    return read_intentions(file) if file else INTENTIONS


@stickers.command()
def validate(folder: StickerFolder, intentions: Intentions = None, as_json: AsJson = False) -> int:
    """Find every problem in a folder of sticker conversations.

    Each is named by file, conversation and field. Exit status: 0 clean, 1 problems.

    Example: photochat stickers validate stickerint/
    """
    from photochat.stickers import scan_stickers

    data, problems = scan_stickers(folder, intentions=known_intentions(intentions))
    if as_json:
        print_json([str(problem) for problem in problems])
    else:
        for problem in problems:
            print(problem)
    sound = sum(map(len, data.splits.values()))
    note(f"{sound:,} conversations are sound, {len(problems):,} are not")
    return 1 if problems else 0


@stickers.command()
def stats(folder: StickerFolder, intentions: Intentions = None, as_json: AsJson = False) -> None:
    """Count a folder of sticker conversations as StickerInt's Table 1 does, and its intentions.

    Example: photochat stickers stats stickerint/ --json
    """
    from photochat.sticker_statistics import TOTAL, sticker_stats
    from photochat.stickers import read_stickers

    data = read_stickers(folder, intentions=known_intentions(intentions))
    parts = sticker_stats(data)
    if as_json:
        print_json(parts)
        return
    columns = [
        name for name in next(iter(parts.values())).__struct_fields__ if name != "intentions"
    ]
    print_table(
        ["", *parts],
        [[c.replace("_", " "), *(getattr(part, c) for part in parts.values())] for c in columns],
    )
    print()
    whole = parts.get(TOTAL) or next(iter(parts.values()))
    print_table(
        ["intention", *parts],
        [[tag, *(p.intentions.get(tag, 0) for p in parts.values())] for tag in whole.intentions],
    )
    unused = [tag for tag in data.intentions if tag not in whole.intentions]
    if unused:
        note(f"no conversation has {', '.join(unused)}")
    idle = len(data.stickers) - whole.stickers_used
    if idle:
        note(f"{idle:,} stickers answer no conversation: they are never right")
