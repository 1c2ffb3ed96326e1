"""The command that trains a model of photo retrieval: train retrieval."""

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
from photochat.cli.training_options import (
    CheckpointGradients,
    ComputedWith,
    Evaluations,
    FallingRate,
    LearningRate,
    Limit,
    Patience,
    Resume,
    RunFolder,
    Tensorboard,
    TrainingSeed,
    Warmup,
)
from photochat.errors import DataError

OTHER_DATA = "DIR|coco:FILE|chatpedes:PATH"

Images = Annotated[
    Path | None,
    typer.Option(help="Folder of pictures, DIR/<photo_id>.jpg.", metavar="DIR"),
]


class Towers(str, Enum):
    """What of a photo a dual encoder reads."""

    IMAGE = "image"
    LABEL = "label"
    BOTH = "image+label"


class Speakers(str, Enum):
    """Whose utterances make the query."""

    SHARER = "sharer"
    ALL = "all"


class Text(str, Enum):
    """What queries are read by."""

    DIALOGUE = "dialogue"
    DESCRIPTORS = "descriptors"
    BOTH = "both"


class Rounds(str, Enum):
    """How much of each talk training reads."""

    ALL = "all"
    RANDOM = "random"


class Tuning(str, Enum):
    """What of a CLIP learns."""

    NONE = "none"
    PROBE = "probe"
    LORA = "lora"
    FULL = "full"


class RetrievalLoss(str, Enum):
    """What is minimised."""

    CROSS_ENTROPY = "cross-entropy"
    SUM_OF_HINGES = "sum-of-hinges"
    MAX_OF_HINGES = "max-of-hinges"


def register(group: typer.Typer) -> None:
    """Add the command of this file to the group train."""
    group.command("retrieval")(train_retrieval)


def train_retrieval(
    data: Annotated[
        str, typer.Option(help="A release folder or file, or other data.", metavar=OTHER_DATA)
    ],
    out: RunFolder,
    preset: Annotated[
        str | None, typer.Option(help="A recipe (photochat presets); options below change it.")
    ] = None,
    images: Images = None,
    init_from: Annotated[
        Path | None,
        typer.Option(help="Start from the weights of this run, and its settings.", metavar="RUN"),
    ] = None,
    towers: Annotated[
        Towers | None, typer.Option(help="What of a photo a dual encoder reads.")
    ] = None,
    context: Annotated[
        str | None, typer.Option(help="Encoder of the talk: folder, hub name, minilm, tiny-bert.")
    ] = None,
    label: Annotated[str | None, typer.Option(help="Encoder of the labels, likewise.")] = None,
    image: Annotated[
        str | None,
        typer.Option(help="Network of the pictures: timm's name, efficientnet-lite0, tiny-cnn."),
    ] = None,
    image_weights: Annotated[
        str | None, typer.Option(help="Its weights: pretrained, random, or a file.")
    ] = None,
    width: Annotated[int | None, typer.Option(help="Of the joint space.", min=1)] = None,
    word_weight: Annotated[
        float | None,
        typer.Option(help="What BM25 of shared words adds to the cosine; 0: nothing.", min=0),
    ] = None,
    speakers: Annotated[
        Speakers | None,
        typer.Option("--query", help="Query with the sharer's utterances, or with all."),
    ] = None,
    last_turns: Annotated[
        int | None, typer.Option(help="Read this many of the newest turns.", min=1)
    ] = None,
    rounds: Annotated[
        Rounds | None,
        typer.Option(help="Train on whole talks, or on a random prefix of each, anew each epoch."),
    ] = None,
    tuning: Annotated[Tuning | None, typer.Option(help="What of a CLIP learns.")] = None,
    wise_alpha: Annotated[
        str | None,
        typer.Option(help="Share of a CLIP's tuned weights kept, the rest pretrained; or dev."),
    ] = None,
    of_model: Annotated[
        list[str] | None,
        typer.Option("--set", help="A setting of the kind of model.", metavar="NAME=VALUE"),
    ] = None,
    max_length: Annotated[
        int | None, typer.Option(help="Tokens read at once, the newest.", min=8)
    ] = None,
    persona: Annotated[
        bool | None,
        typer.Option("--persona", help="Let the persona's name into the photo's text (a leak)."),
    ] = None,
    text: Annotated[
        Text | None, typer.Option(help="Read queries by the talk, its descriptors, or both.")
    ] = None,
    descriptors: Annotated[
        Path | None,
        typer.Option(help="What photochat describe wrote, for all splits.", metavar="FILE"),
    ] = None,
    descriptor_weight: Annotated[
        float | None,
        typer.Option(help="With --text both: the descriptors' share.", min=0, max=1),
    ] = None,
    loss: Annotated[RetrievalLoss | None, typer.Option(help="What to minimise.")] = None,
    temperature: Annotated[
        float | None, typer.Option(help="That scores are divided by in cross entropy.", min=1e-3)
    ] = None,
    learn_temperature: Annotated[
        bool | None,
        typer.Option("--learn-temperature/--fixed-temperature", help="Learn it, or keep it."),
    ] = None,
    margin: Annotated[float | None, typer.Option(help="Of the hinges.", min=0)] = None,
    augment: Annotated[
        bool | None, typer.Option("--augment/--no-augment", help="Crop and mirror pictures.")
    ] = None,
    limit: Limit = None,
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the data; 0: as it comes.", min=0)
    ] = None,
    batch: Annotated[
        int | None, typer.Option("--batch", help="Pairs compared in an optimiser step.", min=2)
    ] = None,
    pairs_at_once: Annotated[
        int | None,
        typer.Option(help="Pairs encoded at once: bounds memory, changes no result.", min=1),
    ] = None,
    learning_rate: LearningRate = None,
    warmup: Warmup = None,
    decay: FallingRate = None,
    weight_decay: Annotated[float | None, typer.Option(help="Of matrices.", min=0)] = None,
    evaluations: Evaluations = None,
    patience: Patience = None,
    precision: ComputedWith = None,
    checkpoint_gradients: CheckpointGradients = None,
    seed: TrainingSeed = None,
    device: Device = DeviceName.AUTO,
    tensorboard: Tensorboard = False,
    resume: Resume = False,
    as_json: AsJson = False,
) -> None:
    """Train a model that finds the photo to a talk, chosen by the sum of recalls on dev.

    Presets are the rows of the paper's Table 4, with its numbers (sections 6.2, 7.1), and ours.
    RUN gets settings.json, log.jsonl, checkpoints/ and model/. With coco:FILE, COCO's captions in
    Karpathy's split (dataset_coco.json); a run on them is what --init-from starts from. With
    chatpedes:PATH, dialogues about persons: a file, or a folder of train_reid.json and others.
    Several GPUs: accelerate launch -m photochat train retrieval ...

    Example: photochat train retrieval --data release --preset minilm --out runs/minilm
    """
    needs_models()
    from modeling.retrieval.train import train_retrieval as run_training

    settings = _settings(
        preset,
        init_from,
        {
            "towers": value_of(towers),
            "context": context,
            "label": label,
            "image": image,
            "image_weights": image_weights,
            "width": width,
            "word_weight": word_weight,
            "tuning": value_of(tuning),
            **_named_values(of_model or []),
            **({} if wise_alpha is None else {"wise_alpha": _alpha(wise_alpha)}),
        },
        {
            "speakers": value_of(speakers),
            "text": value_of(text),
            "descriptors": None if descriptors is None else str(descriptors.resolve()),
            "descriptor_weight": descriptor_weight,
            "last_turns": last_turns,
            "rounds": value_of(rounds),
            "max_length": max_length,
            "persona": persona,
            "loss": value_of(loss),
            "temperature": temperature,
            "learn_temperature": learn_temperature,
            "margin": margin,
            "augment": augment,
            "pairs_at_once": pairs_at_once,
            "limit": limit,
            "init_from": None if init_from is None else str(init_from),
        },
        {
            "epochs": epochs,
            "rows_per_step": batch,
            "learning_rate": learning_rate,
            "warmup": warmup,
            "decay": value_of(decay),
            "weight_decay": weight_decay,
            "evaluations": evaluations,
            "patience": patience,
            "precision": value_of(precision),
            "checkpoint_gradients": checkpoint_gradients,
            "seed": seed,
        },
    )
    if descriptors is not None and settings.text == "dialogue":
        raise DataError("is read with --text descriptors or --text both", file=descriptors)
    run = run_training(
        _splits(data, settings.limit),
        settings,
        out,
        images=images,
        device=device.value,
        resume=resume,
        tensorboard=tensorboard,
    )
    assert run.chosen is not None
    if as_json:
        print_json(run)
    else:
        print_table(["dev metric", "value"], [[name, v] for name, v in run.chosen.dev.items()])
    how, chosen = run.chosen.training, run.chosen
    if "steps" in how:
        note(
            f"{int(how['steps'])} steps, best {int(how['best_step'])}; "
            f"{how['tokens_per_second']:,.0f} words/s, {how['waiting']:.1%} of it waiting for data"
        )
    for name, count in chosen.without_descriptors.items():
        if count:
            note(f"{count:,} of {chosen.queries[name]:,} talks of {name} have no descriptors")
    for name, count in chosen.without_picture.items():
        if count:
            note(f"{count:,} of {chosen.queries[name]:,} photos of {name} have no picture")
    note(
        f"{chosen.queries['dev']:,} dev dialogues over {chosen.photos['dev']:,} photos; "
        f"next: photochat evaluate {out}"
    )


def _splits(data: str, limit: int | None) -> Any:
    from modeling.retrieval.examples import first_queries
    from modeling.retrieval.sources import read_source
    from modeling.retrieval.train import Splits, release_splits
    from photochat.release import read_release

    source = read_source(data)
    if source is None:
        return release_splits(read_release(Path(data)), limit)
    return Splits(first_queries(source.splits["train"], limit), source.splits["dev"], source.file)


def _settings(
    preset: str | None,
    init_from: Path | None,
    model: dict[str, Any],
    own: dict[str, Any],
    training: dict[str, Any],
) -> Any:
    """Return the settings of the preset, or of the run to start from, with options put in."""
    import msgspec

    from modeling.retrieval.presets import PRESETS
    from modeling.retrieval.runs import finished

    if preset is not None and preset not in PRESETS:
        raise DataError(f"there is no preset {preset}: name one of {', '.join(PRESETS)}")
    if preset is not None:
        settings = PRESETS[preset].settings
    elif init_from is not None:
        settings = finished(init_from)[0].settings
    else:
        raise DataError("name a recipe with --preset (photochat presets lists them)")
    asked = {name: value for name, value in model.items() if value is not None}
    kind = settings.model.__struct_config__.tag
    for name in asked:
        if name not in settings.model.__struct_fields__:
            raise DataError(
                f"{name} is not a setting of a {kind}: it has "
                + ", ".join(settings.model.__struct_fields__)
            )
    try:
        changed = msgspec.convert(
            {
                **msgspec.structs.asdict(settings.model),
                **{name: None if value == "null" else value for name, value in asked.items()},
                "type": kind,
            },
            type(settings.model),
            strict=False,
        )
    except msgspec.ValidationError as error:
        raise DataError(f"a {kind} cannot be set so: {error}") from error
    return msgspec.structs.replace(
        settings,
        model=changed,
        **{name: value for name, value in own.items() if value is not None},
        training=msgspec.structs.replace(
            settings.training, **{n: v for n, v in training.items() if v is not None}
        ),
    )


def _named_values(given: list[str]) -> dict[str, Any]:
    """Return NAME=VALUE by name."""
    for text in given:
        if "=" not in text:
            raise DataError(f"--set {text}: write --set NAME=VALUE")
    pairs = (text.split("=", 1) for text in given)
    return {name.strip().replace("-", "_"): value.strip() for name, value in pairs}


def _alpha(text: str) -> float | str:
    if text == "dev":
        return text
    try:
        alpha = float(text)
    except ValueError:
        alpha = -1.0
    if not 0 <= alpha <= 1:
        raise DataError(f"--wise-alpha {text}: name a number from 0 to 1, or dev")
    return alpha
