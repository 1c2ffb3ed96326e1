"""The learning rate as a pure function of the step."""

from __future__ import annotations

import math
from typing import Literal

Decay = Literal["linear", "cosine", "constant"]


def learning_rate_factor(step: int, total: int, warmup: int, decay: Decay) -> float:
    """Return what the peak rate is multiplied by in `step` (from 0) of `total`.

    It climbs to 1 in `warmup` steps, then falls to 0 at the end, or stays.
    """
    if step < warmup:
        return (step + 1) / warmup
    progress = min((step - warmup) / max(total - warmup, 1), 1.0)
    if decay == "linear":
        return 1.0 - progress
    if decay == "cosine":
        return 0.5 * (1.0 + math.cos(math.pi * progress))
    return 1.0
