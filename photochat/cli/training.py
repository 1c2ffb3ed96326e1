"""Commands that train models and ask them: train, predict, presets."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from photochat.cli.output import AsJson, note, print_json, print_table
from photochat.errors import DataError


class TaskName(str, Enum):
    """What is learnt."""

    INTENT = "intent"


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


class Decay(str, Enum):
    """How the learning rate falls."""

    LINEAR = "linear"
    COSINE = "cosine"
    CONSTANT = "constant"


class Precision(str, Enum):
    """What is computed with."""

    FP32 = "fp32"
    BF16 = "bf16"
    FP16 = "fp16"


class DeviceName(str, Enum):
    """Where is computed."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


Device = Annotated[DeviceName, typer.Option(help="Where to compute; auto takes a GPU if any.")]
Data = Annotated[Path, typer.Option(help="A release folder, or a file.", metavar="DIR")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file to the command line."""
    app.command()(train)
    app.command()(predict)
    app.command()(presets)


def train(
    task: Annotated[TaskName, typer.Argument(help="intent: will a photo come next?")],
    data: Data,
    out: Annotated[Path, typer.Option(help="Run folder to write; new or empty.", metavar="RUN")],
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
    limit: Annotated[
        int | None, typer.Option(help="Train on the first so many dialogues.", min=1)
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the data.", min=1)] = None,
    rows_per_step: Annotated[
        int | None,
        typer.Option(help="Prefixes (or dialogues, read once) an optimiser step.", min=1),
    ] = None,
    max_tokens: Annotated[
        int | None,
        typer.Option(help="Tokens with padding on a device at once: bounds memory.", min=64),
    ] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Peak rate.", min=0)] = None,
    warmup: Annotated[
        float | None, typer.Option(help="Share of steps to climb to it.", min=0, max=1)
    ] = None,
    decay: Annotated[Decay | None, typer.Option(help="How the rate falls after that.")] = None,
    loss: Annotated[
        LossName | None, typer.Option(help="What to minimise. [default: cross-entropy]")
    ] = None,
    positive_weight: Annotated[
        float | None, typer.Option(help="Weight of shares in the loss. [default: 1]", min=0)
    ] = None,
    dropout: Annotated[
        float | None, typer.Option(help="Of all layers. [default: the model's own]", min=0, max=1)
    ] = None,
    keep_negatives: Annotated[
        float | None,
        typer.Option(help="Share of other turns drawn each epoch. [default: 1]", min=0, max=1),
    ] = None,
    select: Annotated[
        Selection | None, typer.Option(help="Dev metric that decides which model is kept.")
    ] = None,
    evaluations: Annotated[int | None, typer.Option(help="Dev looks an epoch.", min=1)] = None,
    patience: Annotated[
        int | None, typer.Option(help="Stop after so many looks without a better one.", min=0)
    ] = None,
    precision: Annotated[Precision | None, typer.Option(help="What to compute with.")] = None,
    checkpoint_gradients: Annotated[
        bool | None,
        typer.Option("--checkpoint-gradients", help="Compute twice, hold less in memory."),
    ] = None,
    compile_model: Annotated[
        bool | None, typer.Option("--compile", help="Compile the model with torch.compile.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Same seed, same result.")] = None,
    device: Device = DeviceName.AUTO,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write RUN/tensorboard too.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the interrupted run in RUN.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Train a model on the train split, choose by the dev split.

    Without a preset the settings are the paper's for the model (sections 6.1, 7.1). RUN gets
    settings.json, log.jsonl, checkpoints/ and model/, which from_pretrained loads. Several GPUs:
    accelerate launch -m photochat train ...

    Example: photochat train intent --data release --preset tfidf --out runs/tfidf
    """
    from modeling.intent.train import train_intent
    from photochat.release import read_release

    assert task is TaskName.INTENT
    settings = _settings(
        preset,
        model,
        {
            "kind": _value(kind),
            "construction": _value(construction),
            "hide_roles": hide_roles,
            "max_length": max_length,
            "limit": limit,
            "loss": _value(loss),
            "positive_weight": positive_weight,
            "dropout": dropout,
            "keep_negatives": keep_negatives,
            "select": _value(select),
        },
        {
            "epochs": epochs,
            "rows_per_step": rows_per_step,
            "max_tokens": max_tokens,
            "learning_rate": learning_rate,
            "warmup": warmup,
            "decay": _value(decay),
            "evaluations": evaluations,
            "patience": patience,
            "precision": _value(precision),
            "checkpoint_gradients": checkpoint_gradients,
            "compile": compile_model,
            "seed": seed,
        },
    )
    _needs_models(settings.kind)
    run = train_intent(
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

    _needs_models(finished(run)[0].settings.kind)
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
    from modeling.intent.presets import PRESETS

    if as_json:
        print_json(PRESETS)
        return
    print_table(
        ["preset", "model", "kind", "paper F1", "P", "R", "our F1", "P", "R", "about"],
        [
            [
                name,
                p.settings.model,
                p.settings.kind,
                *_row(p.published),
                *_row(p.measured),
                p.about,
            ]
            for name, p in PRESETS.items()
        ],
    )
    for kind, attribute in (("paper", "published"), ("ours", "measured")):
        data = {row.data for p in PRESETS.values() if (row := getattr(p, attribute))}
        note(f"{kind}: {'; '.join(sorted(data)) or 'not measured yet'}")


def demo_steps(release: Path, out: Path) -> list[tuple[str, list[object]]]:
    """Return what the demonstration runs on its release, each with a title: train, measure, ask.

    A small network where the models extra is installed, else the TF-IDF baseline. `out` must be
    free of an earlier demonstration's run.
    """
    if _has_models():
        title, options = "Train a tiny network to foresee photos.", ["--preset", "tiny"]
    else:
        title = "Train the TF-IDF baseline to foresee photos (networks need the models extra)."
        options = ["--preset", "tfidf"]
    return [
        (title, ["train", "intent", "--data", release, *options, "--out", out]),
        ("How well does it?", ["evaluate", out, "--data", release, "--split", "test"]),
    ]


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
        _needs_models(None)
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


def _needs_models(kind: str | None) -> None:
    if kind != "tfidf" and not _has_models():
        raise DataError(
            "this model needs the models extra: pip install 'photochat-toolkit[models]'"
        )


def _has_models() -> bool:
    from importlib.util import find_spec

    return all(find_spec(name) for name in ("torch", "transformers", "accelerate"))


def _value(choice: Enum | None) -> Any:
    return None if choice is None else choice.value


def _row(row: Any) -> list[float | None]:
    return [None, None, None] if row is None else [row.f1, row.precision, row.recall]


def _mark(turn: Any, threshold: float) -> str:
    return ("!" if turn.probability >= threshold else "") + (">" if turn.shared else "")
