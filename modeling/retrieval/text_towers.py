"""Texts as ids that keep their newest words, and pretrained encoders that make vectors of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from modeling.backbones.text import load_backbone, quiet_transformers
from modeling.retrieval.matcher import Batch
from modeling.retrieval.settings import Pooling
from modeling.training.batches import padded
from photochat.errors import DataError


class TextInput(NamedTuple):
    """A tokenizer and how many tokens are read: the newest."""

    tokenizer: Any
    max_length: int

    def batch(self, texts: Sequence[str]) -> Batch:
        """Return "ids" and "mask" (texts, longest): [CLS], the newest tokens, [SEP]."""
        start, end = self._marks("cls", "bos"), self._marks("sep", "eos")
        room = self.max_length - len(start) - len(end)
        found = self.tokenizer(list(texts), add_special_tokens=False, verbose=False)["input_ids"]
        rows = [np.array([*start, *ids[-room:], *end], np.int32) for ids in found]
        fill = int(next(iter(self._marks("pad", "eos")), 0))
        ids = padded(rows, fill)
        lengths = np.array([len(row) for row in rows])
        mask = np.arange(ids.shape[1]) < lengths[:, None]
        return {"ids": torch.from_numpy(ids), "mask": torch.from_numpy(mask)}

    def _marks(self, *names: str) -> list[int]:
        found = [getattr(self.tokenizer, f"{name}_token_id", None) for name in names]
        return [number for number in found if number is not None][:1]


class TextTower(nn.Module):
    """An encoder without a head; `pooling` takes its first state ([CLS]) or the mean of all."""

    def __init__(self, backbone: nn.Module, pooling: Pooling) -> None:
        super().__init__()
        self.backbone = backbone
        self.pooling = pooling
        self.width: int = backbone.config.hidden_size  # type: ignore[union-attr,assignment]

    def states(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return the encoder's last states, (texts, longest, width)."""
        found: Tensor = self.backbone(
            input_ids=ids, attention_mask=mask.to(ids.dtype)
        ).last_hidden_state
        return found

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return a vector a text, (texts, width)."""
        states = self.states(ids, mask)
        if self.pooling == "cls":
            return states[:, 0]
        kept = mask[:, :, None].to(states.dtype)
        return (states * kept).sum(1) / kept.sum(1)


def load_text_tower(
    name: str,
    pooling: Pooling,
    max_length: int,
    texts: Sequence[str] = (),
    *,
    checkpoint_gradients: bool = False,
) -> tuple[TextTower, TextInput]:
    """Return a tower by hub name, folder or short name, and what makes its input.

    `texts` give the words of a model from scratch.

    Raises:
        DataError: the model cannot be had, is no encoder, or reads fewer than `max_length` tokens.
    """
    backbone = load_backbone(name, vocabulary_from=texts)
    config = backbone.model.config
    if getattr(config, "is_encoder_decoder", False):
        raise DataError("is an encoder-decoder: name an encoder", file=name)
    longest = getattr(config, "max_position_embeddings", None)
    if longest and max_length > longest:
        raise DataError(f"reads {longest} tokens at most: lower --max-length", file=name)
    if checkpoint_gradients:
        backbone.model.gradient_checkpointing_enable({"use_reentrant": False})
    return TextTower(backbone.model, pooling), TextInput(backbone.tokenizer, max_length)


def save_text_tower(
    tower: TextTower, text_input: TextInput, state: dict[str, Tensor], prefix: str, folder: Path
) -> None:
    """Write a tower's weights, those of `state` under `prefix`, for `from_pretrained` to load."""
    lead = f"{prefix}.backbone."
    own = {
        name.removeprefix(lead): tensor.float() if tensor.is_floating_point() else tensor
        for name, tensor in state.items()
        if name.startswith(lead)
    }
    quiet_transformers()
    model: Any = tower.backbone
    model.save_pretrained(folder, state_dict=own)
    text_input.tokenizer.save_pretrained(folder)
