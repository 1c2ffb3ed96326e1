"""Commands that train models and ask them: train, predict, presets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from photochat.cli import train_intent, train_retrieval, train_stickers
from photochat.cli.computing import Device, DeviceName, needs_models
from photochat.cli.output import AsJson, note, print_json, print_table

train = typer.Typer(
    help="Train a model on a release: will a photo come next, and which?",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def register(app: typer.Typer) -> None:
    """Add the commands of this file to the command line."""
    train_intent.register(train)
    train_retrieval.register(train)
    train_stickers.register(train)
    app.add_typer(train, name="train")
    app.command()(predict)
    app.command()(presets)


def predict(
    run: Annotated[Path, typer.Argument(help="A run folder that photochat train wrote.")],
    dialogues: Annotated[
        Path, typer.Argument(help="A dialogue, or a file of them (.json, .jsonl, .parquet).")
    ],
    html: Annotated[
        Path | None, typer.Option(help="Write the dialogues as a web page too.", metavar="FILE")
    ] = None,
    device: Device = DeviceName.AUTO,
    as_json: AsJson = False,
) -> None:
    """Say after each turn of a dialogue how likely a photo comes next.

    Turns after a photo are not looked at. With --html, a strip like the paper's Figure 4.

    Example: photochat predict runs/tfidf dialogue.json --html strip.html
    """
    from modeling.intent.predict import predict as predict_dialogues
    from modeling.intent.runs import finished
    from photochat.records import read_records

    if finished(run)[0].settings.kind != "tfidf":
        needs_models()
    predictions = predict_dialogues(run, read_records(dialogues), device=device.value)
    if html is not None:
        from modeling.intent.report import write_strip

        write_strip(html, predictions, f"{run.name} on {dialogues.name}")
    if as_json:
        print_json(predictions)
        return
    rows = [
        [p.dialogue_id, turn.user_id, turn.probability, _mark(turn, p.threshold), turn.text]
        for p in predictions
        for turn in p.turns
    ]
    print_table(["dialogue", "user", "p", "", "text"], rows)
    note("! foretold at the threshold chosen on dev; > the photo came after this turn")


def presets(as_json: AsJson = False) -> None:
    """List the recipes of photochat train: model, published result, ours.

    Example: photochat presets --json
    """
    from modeling.intent.presets import PRESETS as INTENT
    from modeling.retrieval.presets import PRESETS as RETRIEVAL
    from modeling.stickers.presets import PRESETS as STICKERS

    if as_json:
        print_json({"intent": INTENT, "retrieval": RETRIEVAL, "stickers": STICKERS})
        return
    print_table(
        ["intent", "model", "kind", "paper F1", "P", "R", "our F1", "P", "R", "about"],
        [
            [
                name,
                p.settings.model,
                p.settings.kind,
                *_row(p.published),
                *_row(p.measured),
                p.about,
            ]
            for name, p in INTENT.items()
        ],
    )
    _say_on_what(INTENT)
    print()
    print_table(
        ["retrieval", "paper R@1", "R@5", "R@10", "sum", "our R@1", "R@5", "R@10", "sum", "about"],
        [
            [name, *_recalls(p.published), *_recalls(p.measured), p.about]
            for name, p in RETRIEVAL.items()
        ],
    )
    _say_on_what(RETRIEVAL)
    print()
    print_table(
        ["stickers", "paper P@1", "P@3", "P@5", "mAP", "our P@1", "P@3", "P@5", "mAP", "about"],
        [
            [name, *_precisions(p.published), *_precisions(p.measured), p.about]
            for name, p in STICKERS.items()
        ],
    )
    _say_on_what(STICKERS)


def _row(row: Any) -> list[float | None]:
    return [None, None, None] if row is None else [row.f1, row.precision, row.recall]


def _recalls(row: Any) -> list[float | None]:
    return (
        [None] * 4 if row is None else [row.recall_at_1, row.recall_at_5, row.recall_at_10, row.sum]
    )


def _precisions(row: Any) -> list[float | None]:
    if row is None:
        return [None] * 4
    return [row.precision_at_1, row.precision_at_3, row.precision_at_5, row.map]


def _say_on_what(recipes: Any) -> None:
    for kind, attribute in (("published", "published"), ("ours", "measured")):
        data = {row.data for p in recipes.values() if (row := getattr(p, attribute))}
        note(f"{kind}: {'; '.join(sorted(data)) or 'not measured yet'}")


def _mark(turn: Any, threshold: float) -> str:
    return ("!" if turn.probability >= threshold else "") + (">" if turn.shared else "")
