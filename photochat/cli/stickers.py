"""Commands on conversations that end in a sticker: stickers validate, stats, knowledge."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from photochat.cli.computing import Device, DeviceName, needs_models
from photochat.cli.output import AsJson, note, print_json, print_table
from photochat.cli.progress import progress_bar

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
    from photochat.cli.describe_stickers import describe

    stickers.command()(describe)
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


@stickers.command()
def knowledge(
    folder: StickerFolder,
    model: Annotated[
        str,
        typer.Option(help="A COMET, or any encoder-decoder: a folder, a hub name, or tiny-t5."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="File to write; by default DIR/knowledge.jsonl.", metavar="FILE"),
    ] = None,
    prompt: Annotated[
        str | None,
        typer.Option(help="What the model reads. [default: {conversation} {relation} [GEN]]"),
    ] = None,
    beams: Annotated[int, typer.Option(help="Beams of the search.", min=1)] = 5,
    intentions: Intentions = None,
    device: Device = DeviceName.AUTO,
) -> None:
    """Have a COMET say what people intend, need, want, and how they are affected and feel.

    Five relations a conversation, for photochat train stickers. Interrupted and started again, it
    makes only what is missing.

    Example: photochat stickers knowledge stickerint/ --model models/comet-bart
    """
    needs_models()
    from modeling.stickers.comet import PROMPT, generate_knowledge
    from modeling.stickers.examples import KNOWLEDGE
    from photochat.stickers import read_stickers

    data = read_stickers(folder, intentions=known_intentions(intentions))
    target = out or folder / KNOWLEDGE
    with progress_bar("inferring") as progress:
        new, kept = generate_knowledge(
            [one for part in data.splits.values() for one in part],
            model,
            target,
            prompt=prompt or PROMPT,
            beams=beams,
            device=device.value,
            progress=progress,
        )
    note(f"{new:,} conversations, and {kept:,} from before, in {target}")
