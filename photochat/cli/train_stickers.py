"""The command that trains a model of sticker replies: train stickers."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from photochat.cli.computing import (
    Device,
    DeviceName,
    needs_models,
    value_of,
)
from photochat.cli.output import AsJson, note, print_json, print_table
from photochat.cli.stickers import Intentions, known_intentions
from photochat.cli.training_options import (
    ComputedWith,
    FallingRate,
    LearningRate,
    MaxTokens,
    Patience,
    Resume,
    RunFolder,
    Tensorboard,
    TrainingSeed,
    Warmup,
)
from photochat.errors import DataError

DEFAULT = "int-ra"


class Part(str, Enum):
    """What the paper's ablations leave out."""

    KNOWLEDGE = "knowledge"
    INTENTION = "intention"
    ATTRIBUTES = "attributes"


class Relation(str, Enum):
    """What the maximum over the attributes is."""

    VECTOR = "vector"
    SCALAR = "scalar"


class Positive(str, Enum):
    """How equation 14's rho_pos is read."""

    DISTANCE = "distance"
    SIMILARITY = "similarity"


class Fusion(str, Enum):
    """What the intention-fused text is read from."""

    LABEL = "label"
    LABEL_TEXT = "label+text"


class Pooling(str, Enum):
    """How token states become one vector."""

    FIRST = "first"
    MEAN = "mean"


def register(group: typer.Typer) -> None:
    """Add the command of this file to the group train."""
    group.command("stickers")(train_stickers)


def train_stickers(
    data: Annotated[Path, typer.Option(help="A folder of sticker conversations.", metavar="DIR")],
    out: RunFolder,
    preset: Annotated[
        str, typer.Option(help="A recipe (photochat presets); options below change it.")
    ] = DEFAULT,
    without: Annotated[
        list[Part] | None, typer.Option(help="Leave a part out; may be given several times.")
    ] = None,
    text_model: Annotated[
        str | None, typer.Option(help="An encoder: a folder, a hub name, minilm, tiny-bert, ...")
    ] = None,
    vision_model: Annotated[
        str | None, typer.Option(help="A ViT: a folder, a hub name, or tiny-vit.")
    ] = None,
    intentions: Intentions = None,
    heads: Annotated[int | None, typer.Option(help="Of equation 11.", min=1)] = None,
    margin: Annotated[float | None, typer.Option(help="Of equation 14.", min=0)] = None,
    relation: Annotated[
        Relation | None, typer.Option(help="The maximum over attributes. [default: vector]")
    ] = None,
    positive: Annotated[
        Positive | None, typer.Option(help="What rho_pos is. [default: distance]")
    ] = None,
    fusion: Annotated[
        Fusion | None, typer.Option(help="What H^Y is read from. [default: label]")
    ] = None,
    pooling: Annotated[
        Pooling | None, typer.Option(help="How tokens become one vector. [default: first]")
    ] = None,
    retrieval_weight: Annotated[float | None, typer.Option(help="lambda_1.", min=0)] = None,
    intention_weight: Annotated[float | None, typer.Option(help="lambda_2.", min=0)] = None,
    max_length: Annotated[
        int | None, typer.Option(help="Tokens of conversation and knowledge.", min=16)
    ] = None,
    freeze_vision: Annotated[
        bool | None, typer.Option("--freeze-vision", help="Leave the ViT as it is.")
    ] = None,
    group: Annotated[
        int | None,
        typer.Option(help="Conversations that are each other's negatives. [default: 4]", min=2),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(help="Train on the first so many conversations.", min=1)
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the data.", min=1)] = None,
    rows_per_step: Annotated[
        int | None, typer.Option(help="Groups an optimiser step. [default: 1]", min=1)
    ] = None,
    max_tokens: MaxTokens = None,
    learning_rate: LearningRate = None,
    warmup: Warmup = None,
    decay: FallingRate = None,
    evaluations: Annotated[int | None, typer.Option(help="Looks at valid an epoch.", min=1)] = None,
    patience: Patience = None,
    precision: ComputedWith = None,
    seed: TrainingSeed = None,
    device: Device = DeviceName.AUTO,
    tensorboard: Tensorboard = False,
    resume: Resume = False,
    as_json: AsJson = False,
) -> None:
    """Train Int-RA on conversations that a sticker answers (arXiv 2403.05427).

    Reads DIR/knowledge.jsonl and DIR/descriptions.jsonl (photochat stickers knowledge, describe)
    unless these parts are left out. The model with the best mAP on valid is kept.

    Example: photochat train stickers --data stickerint --preset int-ra-tiny --out runs/int-ra
    """
    needs_models()
    from modeling.stickers.train import train_stickers as run_training
    from photochat.stickers import read_stickers

    settings = _settings(
        preset,
        {part.value: False for part in without or ()}
        | {
            "text_model": text_model,
            "vision_model": vision_model,
            "intentions": known_intentions(intentions) if intentions else None,
            "heads": heads,
            "margin": margin,
            "relation": value_of(relation),
            "positive": value_of(positive),
            "fusion": value_of(fusion),
            "pooling": value_of(pooling),
            "retrieval_weight": retrieval_weight,
            "intention_weight": intention_weight,
            "max_length": max_length,
            "freeze_vision": freeze_vision,
            "group": group,
            "limit": limit,
        },
        {
            "epochs": epochs,
            "rows_per_step": rows_per_step,
            "max_tokens": max_tokens,
            "learning_rate": learning_rate,
            "warmup": warmup,
            "decay": value_of(decay),
            "evaluations": evaluations,
            "patience": patience,
            "precision": value_of(precision),
            "seed": seed,
        },
    )
    run = run_training(
        read_stickers(data, intentions=settings.intentions),
        settings,
        out,
        device=device.value,
        resume=resume,
        tensorboard=tensorboard,
    )
    assert run.chosen is not None
    if as_json:
        print_json(run)
    else:
        print_table(["valid metric", "value"], [[n, v] for n, v in run.chosen.valid.items()])
    for what, count in run.chosen.without.items():
        if count:
            note(f"{count:,} {what}")
    how = run.chosen.training
    note(
        f"{int(how['steps'])} steps, best {int(how['best_step'])}; next: photochat evaluate {out} "
        f"--data {data}"
    )


def _settings(preset: str, own: dict[str, Any], training: dict[str, Any]) -> Any:
    """Return the preset's settings with what was asked for put in."""
    import msgspec

    from modeling.stickers.presets import PRESETS

    if preset not in PRESETS:
        raise DataError(f"there is no preset {preset}: name one of {', '.join(PRESETS)}")
    settings = PRESETS[preset].settings
    chosen = {name: value for name, value in training.items() if value is not None}
    return msgspec.structs.replace(
        settings,
        **{name: value for name, value in own.items() if value is not None},
        training=msgspec.structs.replace(settings.training, **chosen),
    )
