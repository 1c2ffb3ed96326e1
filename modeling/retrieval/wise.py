"""WiSE-FT (arXiv 2109.01903): weights between the pretrained model's and the tuned one's.

theta = (1 - alpha) * pretrained + alpha * tuned. On the way, accuracy on what the model was tuned
for often rises and what it knew before is kept; where along it to stop is chosen on dev.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor

ALPHAS = tuple(n / 10 for n in range(11))


def between(
    pretrained: Mapping[str, Tensor], tuned: Mapping[str, Tensor], alpha: float
) -> dict[str, Tensor]:
    """Return the weights at `alpha`; counts and ids, which are no weights, are the tuned ones."""
    return {name: _mixed(pretrained[name], tensor, alpha) for name, tensor in tuned.items()}


def _mixed(pretrained: Tensor, tuned: Tensor, alpha: float) -> Tensor:
    if not tuned.is_floating_point():
        return tuned
    return pretrained.to(tuned.device, tuned.dtype).lerp(tuned, alpha)


def best_alpha(metric: Callable[[float], float], alphas: tuple[float, ...] = ALPHAS) -> float:
    """Return the alpha of the best metric; of equals the largest, nearest the tuned weights."""
    return max(alphas, key=lambda alpha: (metric(alpha), alpha))
