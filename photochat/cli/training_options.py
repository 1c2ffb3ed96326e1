"""Options of every command that trains: where the run goes, how rates fall, when it ends."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer


class Decay(str, Enum):
    """How the learning rate falls."""

    LINEAR = "linear"
    COSINE = "cosine"
    CONSTANT = "constant"
    THOUSANDTHS = "thousandths"
    TENTH = "tenth"


class Precision(str, Enum):
    """What is computed with."""

    FP32 = "fp32"
    BF16 = "bf16"
    FP16 = "fp16"


RunFolder = Annotated[Path, typer.Option(help="Run folder to write; new or empty.", metavar="RUN")]
Limit = Annotated[int | None, typer.Option(help="Train on the first so many dialogues.", min=1)]
MaxTokens = Annotated[
    int | None,
    typer.Option(help="Tokens with padding on a device at once: bounds memory.", min=64),
]
LearningRate = Annotated[float | None, typer.Option(help="Peak rate.", min=0)]
Warmup = Annotated[float | None, typer.Option(help="Share of steps to climb to it.", min=0, max=1)]
FallingRate = Annotated[Decay | None, typer.Option(help="How the rate falls after that.")]
Evaluations = Annotated[int | None, typer.Option(help="Dev looks an epoch.", min=1)]
Patience = Annotated[
    int | None, typer.Option(help="Stop after so many looks without a better one.", min=0)
]
ComputedWith = Annotated[Precision | None, typer.Option(help="What to compute with.")]
CheckpointGradients = Annotated[
    bool | None,
    typer.Option("--checkpoint-gradients", help="Compute twice, hold less in memory."),
]
TrainingSeed = Annotated[int | None, typer.Option(help="Same seed, same result.")]
Tensorboard = Annotated[bool, typer.Option("--tensorboard", help="Write RUN/tensorboard too.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the interrupted run in RUN.")]
