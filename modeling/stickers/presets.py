"""Recipes by name: the paper's Int-RA, and a small one to try things out."""

from __future__ import annotations

import msgspec

from modeling.stickers.settings import IntRASettings


class Row(msgspec.Struct, frozen=True):
    """P@1, P@3, P@5 and mAP in percent, and on what."""

    precision_at_1: float
    precision_at_3: float
    precision_at_5: float
    map: float
    data: str


class Preset(msgspec.Struct, frozen=True):
    """A recipe, what the paper published for it, and what this code reached."""

    about: str
    settings: IntRASettings
    published: Row | None = None
    measured: Row | None = None


_PAPER = IntRASettings()

PRESETS: dict[str, Preset] = {
    "int-ra": Preset(
        "multilingual BERT, CLIP's ViT, knowledge, intentions, attributes",
        _PAPER,
        Row(10.97, 13.55, 21.48, 15.24, "StickerInt's test, 154 conversations"),  # Table 2
    ),
    "int-ra-tiny": Preset(
        "small models from scratch: to try things out",
        msgspec.structs.replace(
            _PAPER,
            text_model="tiny-bert",
            vision_model="tiny-vit",
            pooling="mean",
            training=msgspec.structs.replace(_PAPER.training, epochs=10, learning_rate=2e-3),
        ),
    ),
}
