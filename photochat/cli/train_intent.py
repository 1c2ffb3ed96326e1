"""The command that trains a model of photo-sharing intent: train intent."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any

import typer

from photochat.cli.computing import (
    Data,
    Device,
    DeviceName,
    needs_models,
    value_of,
)
from photochat.cli.output import AsJson, note, print_json, print_table
from photochat.cli.training_options import (
    CheckpointGradients,
    ComputedWith,
    Evaluations,
    FallingRate,
    LearningRate,
    Limit,
    MaxTokens,
    Patience,
    Resume,
    RunFolder,
    Tensorboard,
    TrainingSeed,
    Warmup,
)
from photochat.errors import DataError


class Kind(str, Enum):
    """How a model reads a dialogue."""

    ENCODER = "encoder"
    T5 = "t5"
    CAUSAL = "causal"
    TURN_CAUSAL = "turn-causal"


class Construction(str, Enum):
    """How dialogues become examples."""

    PAPER = "paper"
    MESSAGES = "messages"
    SHARED_ONLY = "shared-only"


class LossName(str, Enum):
    """What is minimised."""

    CROSS_ENTROPY = "cross-entropy"
    FOCAL = "focal"


class Selection(str, Enum):
    """The dev metric by which the model is kept."""

    F1 = "f1"
    F1_AT_DEV = "f1@dev"
    AVERAGE_PRECISION = "average_precision"


def register(group: typer.Typer) -> None:
    """Add the command of this file to the group train."""
    group.command("intent")(train_intent)


def train_intent(
    data: Data,
    out: RunFolder,
    preset: Annotated[
        str | None, typer.Option(help="A recipe (photochat presets); options below change it.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="A folder, a hub name, or minilm, smollm2, tiny-bert, tfidf, ..."),
    ] = None,
    kind: Annotated[
        Kind | None, typer.Option(help="How the model reads; by default what suits it.")
    ] = None,
    construction: Annotated[
        Construction | None, typer.Option(help="How dialogues become examples. [default: paper]")
    ] = None,
    hide_roles: Annotated[
        bool | None,
        typer.Option("--hide-roles", help="Name the first speaker 0: no id tells the sharer."),
    ] = None,
    max_length: Annotated[
        int | None, typer.Option(help="Tokens read at once, the newest. [default: 512]", min=16)
    ] = None,
    limit: Limit = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the data.", min=1)] = None,
    rows_per_step: Annotated[
        int | None,
        typer.Option(help="Prefixes (or dialogues, read once) an optimiser step.", min=1),
    ] = None,
    max_tokens: MaxTokens = None,
    learning_rate: LearningRate = None,
    warmup: Warmup = None,
    decay: FallingRate = None,
    loss: Annotated[
        LossName | None, typer.Option(help="What to minimise. [default: cross-entropy]")
    ] = None,
    positive_weight: Annotated[
        float | None, typer.Option(help="Weight of shares in the loss. [default: 1]", min=0)
    ] = None,
    dropout: Annotated[
        float | None, typer.Option(help="Of all layers. [default: the model's own]", min=0, max=1)
    ] = None,
    language: Annotated[
        float | None,
        typer.Option(help="Weight of the next token's loss (kind causal). [default: 0]", min=0),
    ] = None,
    keep_negatives: Annotated[
        float | None,
        typer.Option(help="Share of other turns drawn each epoch. [default: 1]", min=0, max=1),
    ] = None,
    select: Annotated[
        Selection | None, typer.Option(help="Dev metric that decides which model is kept.")
    ] = None,
    evaluations: Evaluations = None,
    patience: Patience = None,
    precision: ComputedWith = None,
    checkpoint_gradients: CheckpointGradients = None,
    compile_model: Annotated[
        bool | None, typer.Option("--compile", help="Compile the model with torch.compile.")
    ] = None,
    average: Annotated[
        float | None,
        typer.Option(
            help="Keep an average of the weights, this share of it a step. [default: 0: none]",
            min=0,
            max=0.9999,
        ),
    ] = None,
    seed: TrainingSeed = None,
    device: Device = DeviceName.AUTO,
    tensorboard: Tensorboard = False,
    resume: Resume = False,
    as_json: AsJson = False,
) -> None:
    """Train a model that foretells photos on the train split, chosen by the dev split.

    Without a preset the settings are the paper's for the model (sections 6.1, 7.1). RUN gets
    settings.json, log.jsonl, checkpoints/ and model/, which from_pretrained loads. Several GPUs:
    accelerate launch -m photochat train intent ...

    Example: photochat train intent --data release --preset tfidf --out runs/tfidf
    """
    from modeling.intent.train import train_intent as run_training
    from photochat.release import read_release

    settings = _settings(
        preset,
        model,
        {
            "kind": value_of(kind),
            "construction": value_of(construction),
            "hide_roles": hide_roles,
            "max_length": max_length,
            "limit": limit,
            "loss": value_of(loss),
            "positive_weight": positive_weight,
            "dropout": dropout,
            "language": language,
            "keep_negatives": keep_negatives,
            "select": value_of(select),
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
            "checkpoint_gradients": checkpoint_gradients,
            "compile": compile_model,
            "average": average,
            "seed": seed,
        },
    )
    if settings.kind != "tfidf":
        needs_models()
    run = run_training(
        read_release(data),
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
        print_table(["dev metric", "value"], [[name, v] for name, v in run.chosen.dev.items()])
    how = run.chosen.training
    if how:
        note(
            f"{int(how['steps'])} steps, best {int(how['best_step'])}; "
            f"{how['tokens_per_second']:,.0f} tokens/s, {how['waiting']:.1%} of it waiting for data"
        )
    note(f"threshold {run.chosen.threshold:.3f} chosen on dev; next: photochat evaluate {out}")


def _settings(
    preset: str | None, model: str | None, own: dict[str, Any], training: dict[str, Any]
) -> Any:
    """Return the preset's settings with what was asked for put in."""
    import msgspec

    from modeling.intent.presets import PRESETS
    from modeling.intent.settings import TFIDF, IntentSettings

    if preset is not None and preset not in PRESETS:
        raise DataError(f"there is no preset {preset}: name one of {', '.join(PRESETS)}")
    if preset is None and model is None:
        raise DataError("name a model with --model, or a recipe with --preset")
    if preset is not None:
        settings = PRESETS[preset].settings
    elif model == TFIDF:
        settings = PRESETS[TFIDF].settings
    else:
        needs_models()
        from modeling.intent.kinds import kind_of

        settings = IntentSettings(model=str(model), kind=own["kind"] or kind_of(str(model)))
    if model is not None:
        own["model"] = model
    chosen = {name: value for name, value in training.items() if value is not None}
    return msgspec.structs.replace(
        settings,
        **{name: value for name, value in own.items() if value is not None},
        training=msgspec.structs.replace(settings.training, **chosen),
    )
