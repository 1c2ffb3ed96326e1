"""How a model is trained, whatever it learns: plain numbers, kept beside the run."""

from __future__ import annotations

from typing import Literal

import msgspec

from modeling.training.schedule import Decay

Precision = Literal["fp32", "bf16", "fp16"]
Device = Literal["auto", "cpu", "cuda"]


class TrainingSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One run's settings. The defaults suit fine-tuning a pretrained model.

    A row is what the model reads in one piece. `rows_per_step` rows make one optimiser step over
    all processes, read in micro-batches of at most `max_tokens` tokens, padding included: memory
    depends on the second alone, the result (but for rounding) on the first alone. With `average`,
    the averaged weights are what is measured on dev and kept.
    """

    epochs: int = 3
    rows_per_step: int = 32
    max_tokens: int = 8192
    bucket: int = 50  # steps whose rows are sorted by length together
    learning_rate: float = 3e-5
    fresh_factor: float = 1.0  # the rate of untrained parts, times learning_rate
    weight_decay: float = 0.01
    warmup: float = 0.1  # share of all steps
    decay: Decay = "linear"
    clip: float = 1.0
    average: float = 0.0  # share that a running average of the weights keeps a step; 0: no average
    evaluations: int = 1  # per epoch
    patience: int = 0  # evaluations without a better dev metric before stopping; 0: never stop
    precision: Precision = "fp32"
    checkpoint_gradients: bool = False
    compile: bool = False
    seed: int = 0
