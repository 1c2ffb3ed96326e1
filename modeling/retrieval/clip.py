"""CLIP on dialogues: as it is, with a probe, with low-rank adapters, or tuned whole.

Text towers of CLIP read 77 tokens: the newest turns are kept. The logit scale is the pretrained
model's, learnt on and never beyond 100, as CLIP was trained (arXiv 2103.00020, section 2.5).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from modeling.retrieval.clip_towers import Clip, load_clip
from modeling.retrieval.examples import GalleryPhoto, Query
from modeling.retrieval.layer_decay import rate_factors
from modeling.retrieval.low_rank import adapt, merged
from modeling.retrieval.matcher import (
    MAX_SCALE,
    Batch,
    Matcher,
    Pictures,
    Representations,
    Retriever,
)
from modeling.retrieval.settings import ClipSettings, RetrievalSettings, Tuning
from modeling.retrieval.text_towers import TextInput
from modeling.retrieval.texts import said
from photochat.errors import DataError

PROBE = "head.safetensors"
_TOWERS = "towers.model."


class ClipMatcher(Matcher):
    """A CLIP model and what of it learns.

    "none" leaves it as it is; "probe" learns a square matrix after each tower, which starts as the
    identity; "lora" learns low-rank additions to the blocks of both; "full" learns everything,
    at rates that fall by `layer_decay` from block to block towards the input.
    """

    def __init__(
        self,
        clip: Clip,
        tuning: Tuning = "full",
        *,
        rank: int = 8,
        layer_decay: float = 1.0,
    ) -> None:
        super().__init__(temperature=None)
        self.towers = cast(nn.Module, clip.towers)
        self.tuning = tuning
        self._towers = (clip.towers,)  # typed, and not registered a second time
        self.mean: Tensor
        self.deviation: Tensor
        shape = (1, 3, 1, 1)
        self.register_buffer("mean", torch.tensor(clip.mean).view(shape), persistent=False)
        self.register_buffer(
            "deviation", torch.tensor(clip.deviation).view(shape), persistent=False
        )
        if tuning == "lora":
            adapt(self.towers, rank, alpha=2.0 * rank)
        elif tuning != "full":
            self.towers.requires_grad_(False)
        if tuning != "none":
            self._own_scale.requires_grad_(True)
        self.head_text = self.head_image = None
        if tuning == "probe":
            self.head_text, self.head_image = _identity(clip.width), _identity(clip.width)
        self._rates = rate_factors((n for n, _ in self.named_parameters()), layer_decay)

    @property
    def _own_scale(self) -> nn.Parameter:
        scale: nn.Parameter = cast(Any, self._towers[0].model).logit_scale
        return scale

    @property
    def log_scale(self) -> Tensor:
        """Return the logarithm of what cosines are multiplied by in the loss, at most 100.

        The parameter itself is brought back, since what is above the limit would get no gradient.
        """
        with torch.no_grad():
            self._own_scale.clamp_(max=math.log(MAX_SCALE))
        return self._own_scale

    def rate_factor(self, name: str, fresh: float) -> float:
        """Return the factor of the parameter's layer; of what is in none, that of other models."""
        rate = self._rates.get(name)
        return super().rate_factor(name, fresh) if rate is None else rate

    def queries(self, batch: Batch) -> Representations:
        """Return the text tower's vectors, at length one."""
        vectors = self._towers[0].texts(batch["ids"], batch["mask"])
        return {"vector": F.normalize(_after(self.head_text, vectors), dim=1)}

    def photos(self, batch: Batch) -> Representations:
        """Return the image tower's vectors, at length one; pixels are bytes from 0 to 255."""
        pixels = (batch["pixels"].float() / 255 - self.mean) / self.deviation
        vectors = self._towers[0].pictures(pixels)
        return {"vector": F.normalize(_after(self.head_image, vectors), dim=1)}

    def save(self, state: Mapping[str, Tensor], folder: Path) -> None:
        """Write weights `state` of this module: a CLIP model for others, and the probe beside it.

        Adapters are added to the matrices they adapt.
        """
        from safetensors.torch import save_file

        own = merged(state)
        self._towers[0].save(
            {n.removeprefix(_TOWERS): t for n, t in own.items() if n.startswith(_TOWERS)}, folder
        )
        heads = {n: t.contiguous().cpu() for n, t in own.items() if n.startswith("head_")}
        if heads:
            save_file(heads, folder / PROBE)

    def load_heads(self, folder: Path) -> None:
        """Load the probe that `save` wrote.

        Raises:
            DataError: it is not there.
        """
        from safetensors.torch import load_file

        if self.head_text is None:
            return
        try:
            self.load_state_dict(load_file(folder / PROBE), strict=False)
        except (OSError, RuntimeError) as error:
            raise DataError("cannot be loaded", file=folder / PROBE) from error


def _identity(width: int) -> nn.Linear:
    probe = nn.Linear(width, width)
    nn.init.eye_(probe.weight)
    nn.init.zeros_(probe.bias)
    return probe


def _after(head: nn.Linear | None, vectors: Tensor) -> Tensor:
    return vectors if head is None else head(vectors)


class ClipFeeder:
    """Lays out talks, their newest tokens, and pictures for CLIP."""

    def __init__(self, clip: Clip, settings: RetrievalSettings, pictures: Pictures | None) -> None:
        self._settings, self._pictures = settings, pictures
        self._text = TextInput(clip.tokenizer, min(settings.max_length, clip.context_length))

    def queries(self, queries: Sequence[Query]) -> Batch:
        """Return "ids" and "mask" of the talks, their utterances in one line."""
        settings = self._settings
        talks = [said(query, settings.speakers, settings.last_turns) for query in queries]
        return self._text.batch([" ".join(turn.text for turn in turns) for turns in talks])

    def photos(self, photos: Sequence[GalleryPhoto]) -> Batch:
        """Return "pixels"."""
        if self._pictures is None:
            raise DataError("this model looks at pictures: name their folder with --images")
        return {"pixels": self._pictures.pixels(photos)}


def build_clip(
    settings: RetrievalSettings,
    texts: Sequence[str],
    pictures: Pictures | None,
    weights: Path | None,
) -> Retriever:
    """Make a CLIP by name, or load one that was saved to `weights`. `texts` are not needed.

    Raises:
        DataError: the model cannot be had, sees squares of another size, or nothing of it would
            learn though there are epochs.
    """
    model = cast(ClipSettings, settings.model)
    if model.tuning == "none" and settings.training.epochs:
        raise DataError("nothing learns with --set tuning=none: add --epochs 0, or name a tuning")
    torch.manual_seed(settings.training.seed)
    clip = load_clip(model.clip, weights=weights)
    if clip.side != model.side:
        raise DataError(
            f"sees pictures of {clip.side} pixels a side: add --set side={clip.side}",
            file=model.clip,
        )
    matcher = ClipMatcher(clip, model.tuning, rank=model.rank, layer_decay=model.layer_decay)
    if weights is not None:
        matcher.load_heads(weights)
    return Retriever(matcher, ClipFeeder(clip, settings, pictures), matcher.save)
