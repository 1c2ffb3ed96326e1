"""WiSE-FT (arXiv 2109.01903): weights between the pretrained model's and the tuned one's.

theta = (1 - alpha) * pretrained + alpha * tuned. On the way, accuracy on what the model was tuned
for often rises and what it knew before is kept; where along it to stop is chosen on dev.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import msgspec
from accelerate import Accelerator
from torch import Tensor

from modeling.retrieval.encoding import ranks_in
from modeling.retrieval.examples import RetrievalExamples
from modeling.retrieval.kinds import build_retriever
from modeling.retrieval.matcher import Pictures, Retriever
from modeling.retrieval.settings import ClipSettings, RetrievalSettings
from modeling.retrieval.task import dev_metrics
from photochat.atomic import atomic_folder

ALPHAS = tuple(n / 10 for n in range(11))
MIXED = "wise.json"  # beside weights that are between: they are not to be mixed again


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


def go_back(
    tuned: Retriever,
    pretrained: Retriever,
    alpha: float | Literal["dev"],
    metric: Callable[[], float],
) -> float:
    """Leave `tuned` with the weights between `pretrained`'s and its own at `alpha`; return alpha.

    With "dev" the best of `ALPHAS` is taken by `metric`, which measures `tuned` as it stands.
    Neither may have adapters: what is saved and loaded has them added up.
    """
    start = {name: t.detach().clone() for name, t in pretrained.matcher.state_dict().items()}
    end = {name: t.detach().clone() for name, t in tuned.matcher.state_dict().items()}

    def measured(at: float) -> float:
        tuned.matcher.load_state_dict(between(start, end, at))
        return metric()

    chosen = best_alpha(measured) if alpha == "dev" else alpha
    tuned.matcher.load_state_dict(between(start, end, chosen))
    return chosen


def keep_between(
    settings: RetrievalSettings,
    folder: Path,
    start: Path | None,
    dev: RetrievalExamples,
    pictures: Pictures | None,
    accelerator: Accelerator,
) -> dict[str, float]:
    """Replace the tuned CLIP in `folder` by weights between those it started from and its own.

    Weights that are so already, in a run that goes on after an interruption, stay as they are.

    `start` is the folder it started from, None for the pretrained model. Returns what is kept of
    the tuned weights; nothing where the settings ask for the tuned weights alone. Called by every
    process.
    """
    model = settings.model
    if not isinstance(model, ClipSettings) or model.wise_alpha == 1.0:
        return {}
    if (folder / MIXED).exists():
        return msgspec.json.decode((folder / MIXED).read_bytes(), type=dict[str, float])
    if model.tuning == "lora":  # what was saved has the adapters added up
        plain = msgspec.structs.replace(model, tuning="full")
        settings = msgspec.structs.replace(settings, model=plain)
    tuned = build_retriever(settings, pictures=pictures, weights=folder)
    pretrained = build_retriever(settings, pictures=pictures, weights=start)

    def metric() -> float:
        return dev_metrics(ranks_in(tuned, dev, accelerator, pictures))["sum"]

    kept = {"wise_alpha": go_back(tuned, pretrained, model.wise_alpha, metric)}
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        with atomic_folder(folder, replace=True) as part:
            tuned.save(tuned.matcher.state_dict(), part)
            (part / MIXED).write_bytes(msgspec.json.encode(kept))
    accelerator.wait_for_everyone()
    return kept
