"""The learning rate as pure functions: of the step, and of the parameter's name."""

from __future__ import annotations

import math
from typing import Literal

Decay = Literal["linear", "cosine", "constant", "thousandths", "tenth"]


def learning_rate_factor(step: int, total: int, warmup: int, decay: Decay) -> float:
    """Return what the peak rate is multiplied by in `step` (from 0) of `total`.

    It climbs to 1 in `warmup` steps, then falls to 0 at the end, or stays. "thousandths" takes off
    0.1% every 1000 steps (section 7.1, for the dual encoder), "tenth" leaves a tenth from half of
    the steps on (VSE++: after 15 of 30 epochs).
    """
    if step < warmup:
        return (step + 1) / warmup
    progress = min((step - warmup) / max(total - warmup, 1), 1.0)
    if decay == "linear":
        return 1.0 - progress
    if decay == "cosine":
        return 0.5 * (1.0 + math.cos(math.pi * progress))
    if decay == "thousandths":
        return float(0.999 ** (step // 1000))
    if decay == "tenth":
        return 1.0 if step < total / 2 else 0.1
    return 1.0


def rate_by_name(name: str, fresh: float) -> float:
    """Return what a parameter's rate is multiplied by: `fresh` for untrained parts, `head...`."""
    return fresh if name.startswith("head") else 1.0
