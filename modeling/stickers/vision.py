"""A ViT's view of stickers (equation 9): one vector for each region of the picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, CLIPVisionConfig, CLIPVisionModel

from photochat.errors import DataError

TINY = "tiny-vit"  # from scratch, for trying things out
TINY_SIDE, TINY_PATCH = 32, 8  # pixels

# What pictures are normalised by, red, green, blue: mean and deviation of values in 0 to 1. The
# first two are of https://github.com/openai/CLIP and of ImageNet; other ViTs map to -1 to 1.
_NORMS = {
    "clip": ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)),
    "dinov2": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
}
_PLAIN = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
_UNUSED = ("post_layernorm", "pooler", "head.")  # they make the one vector that is not looked at


class Regions(nn.Module):
    """A ViT without its summary token."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        kind = str(model.config.model_type).removesuffix("_vision_model")
        mean, deviation = _NORMS.get(kind, _PLAIN)
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer(
            "deviation", torch.tensor(deviation).view(1, 3, 1, 1), persistent=False
        )
        for name, parameter in model.named_parameters():
            # Weights without a gradient would stop distributed training.
            if any(part in name for part in _UNUSED):
                parameter.requires_grad_(False)

    @property
    def side(self) -> int:
        """Pixels a side of the pictures that the model reads."""
        return int(self.model.config.image_size)

    @property
    def width(self) -> int:
        """Width of a region's vector."""
        return int(self.model.config.hidden_size)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return H^I (stickers, regions, width) of uint8 RGB `pixels` (stickers, 3, side, side)."""
        values = (pixels.float() / 255 - self.mean) / self.deviation
        states: Tensor = self.model(pixel_values=values).last_hidden_state
        regions = (self.side // int(self.model.config.patch_size)) ** 2
        return states[:, states.shape[1] - regions :]


def load_regions(name: str, folder: Path | None = None) -> Regions:
    """Load a ViT by hub name or folder, "tiny-vit" from scratch, or one saved to `folder`.

    Raises:
        DataError: it cannot be had, or is no ViT.
    """
    source = name if folder is None else str(folder)
    if source == TINY:
        config = CLIPVisionConfig(
            hidden_size=64,
            intermediate_size=128,
            num_attention_heads=4,
            num_hidden_layers=2,
            image_size=TINY_SIDE,
            patch_size=TINY_PATCH,
        )
        return Regions(CLIPVisionModel(config))
    quiet: Any = transformers.utils.logging.disable_progress_bar
    quiet()
    try:
        kind: Any = AutoConfig.from_pretrained(source).model_type
        family: Any = CLIPVisionModel if kind.startswith("clip") else AutoModel
        model = family.from_pretrained(source, dtype=torch.float32)
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        what = " ".join(str(error).split())[:160]
        raise DataError(
            f"the vision model {source} cannot be had ({what}): name a folder, {TINY} or a hub name"
        ) from error
    if not all(hasattr(model.config, field) for field in ("image_size", "patch_size")):
        raise DataError(f"the vision model {source} is no ViT: it has no patches")
    return Regions(model)
