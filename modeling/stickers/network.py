"""Int-RA made of pretrained models, fed, saved and loaded again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from modeling.backbones.text import Backbone, load_backbone, quiet_transformers, speaker_segments
from modeling.retrieval.matcher import Batch
from modeling.stickers.descriptions import ATTRIBUTES
from modeling.stickers.examples import Gallery, StickerExamples
from modeling.stickers.model import IntRA
from modeling.stickers.settings import IntRASettings
from modeling.stickers.texts import TextFeed, Tokenized, stacked, text_feed
from modeling.stickers.vision import load_regions
from photochat.errors import DataError

HEAD = "head.safetensors"
TEXT, VISION = "text", "vision"  # folders that from_pretrained loads
SHORT = 48  # tokens of a label or a description of one attribute

_PARTS = {"text.": TEXT, "vision.model.": VISION}
_OWN = "head."


class Network(NamedTuple):
    """A module with what it takes to feed it."""

    module: IntRA
    backbone: Backbone
    feed: TextFeed
    settings: IntRASettings

    def conversations(self, examples: StickerExamples) -> list[Tokenized]:
        """Lay out T + C_know of each conversation."""
        return [
            self.feed.conversation(one, known, self.settings.max_length)
            for one, known in zip(examples.conversations, examples.knowledge, strict=True)
        ]

    def descriptions(self, gallery: Gallery) -> list[list[Tokenized]]:
        """Lay out the four texts of each sticker."""
        return [[self.feed.short(text, SHORT) for text in own] for own in gallery.descriptions]

    def query_batch(self, texts: Sequence[Tokenized]) -> Batch:
        """Stack conversations."""
        return stacked(texts, self.feed.pad)

    def sticker_batch(
        self, pixels: np.ndarray[Any, Any], own: Sequence[Sequence[Tokenized]], described: Tensor
    ) -> Batch:
        """Stack stickers: pictures, their four texts, and which of those say anything."""
        batch = {"pixels": torch.from_numpy(pixels)}
        if self.settings.attributes:
            texts = [text for four in own for text in four]
            batch |= stacked(texts, self.feed.pad, "described_")
            batch["described"] = described
        return batch


def described_table(gallery: Gallery) -> Tensor:
    """Return which attributes are described, (stickers, 4), 1 or 0."""
    table = [[int(bool(text)) for text in own] for own in gallery.descriptions]
    return torch.tensor(table, dtype=torch.long).view(-1, len(ATTRIBUTES))


def build_network(
    settings: IntRASettings, texts: Sequence[str] = (), *, weights: Path | None = None
) -> Network:
    """Make a network of pretrained models, or load one that was saved to the folder `weights`.

    `texts` give the words of a text model from scratch.

    Raises:
        DataError: a model cannot be had or does not suit, or the folder holds another network.
    """
    torch.manual_seed(settings.training.seed)  # the head starts at random
    name = settings.text_model if weights is None else str(weights / TEXT)
    backbone = load_backbone(name, vocabulary_from=() if weights else texts)
    longest = getattr(backbone.model.config, "max_position_embeddings", None)
    asked = settings.max_length + (SHORT if settings.fusion == "label+text" else 0)
    if longest and asked > longest:
        raise DataError(
            f"reads {longest} tokens at most, not {asked}: lower --max-length", file=name
        )
    feed = text_feed(backbone.tokenizer)
    labels = stacked([feed.short(tag, SHORT) for tag in settings.intentions], feed.pad)
    vision = load_regions(settings.vision_model, weights and weights / VISION)
    module = IntRA(
        backbone.model, vision, labels, settings, segments=speaker_segments(backbone.model)
    )
    if weights is not None:
        try:
            module.head.load_state_dict(load_file(weights / HEAD))
        except (OSError, SafetensorError, RuntimeError) as error:
            what = " ".join(str(error).split())[:160]
            raise DataError(f"cannot be loaded ({what})", file=weights / HEAD) from error
    if settings.training.checkpoint_gradients:
        backbone.model.gradient_checkpointing_enable({"use_reentrant": False})
    return Network(module, backbone, feed, settings)


def save_network(network: Network, state: dict[str, Tensor], folder: Path) -> None:
    """Write weights `state` into `folder`: two models for from_pretrained, and our own layers."""
    quiet_transformers()
    models = {TEXT: network.backbone.model, VISION: network.module.vision.model}
    for prefix, name in _PARTS.items():
        own = {
            key.removeprefix(prefix): tensor.float() if tensor.is_floating_point() else tensor
            for key, tensor in state.items()
            if key.startswith(prefix)
        }
        models[name].save_pretrained(folder / name, state_dict=own)
    network.backbone.tokenizer.save_pretrained(folder / TEXT)
    head = {
        k.removeprefix(_OWN): t.contiguous().cpu() for k, t in state.items() if k.startswith(_OWN)
    }
    save_file(head, folder / HEAD)
