"""Pretrained models: by hub name, folder or installed package, or made from scratch."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
import transformers
from torch import nn
from transformers import AutoConfig, AutoModel, AutoModelForSeq2SeqLM, AutoTokenizer

from modeling.backbones.scratch import SCRATCH, scratch_model
from photochat.errors import DataError
from photochat.packaged_models import PACKAGES, located

_MAY_BE_NEW = ("pooler", "position_ids", "lm_head")  # what our models do not use


class Backbone(NamedTuple):
    """A model without a head of ours, and the tokenizer that it was trained with."""

    model: Any
    tokenizer: Any


def load_backbone(
    name: str, *, text_to_text: bool = False, vocabulary_from: Sequence[str] = ()
) -> Backbone:
    """Load a model and its tokenizer; `vocabulary_from` are texts for a model from scratch.

    Raises:
        DataError: the name cannot be had (offline, mistyped, its package missing), or its weights
            are of another architecture.
    """
    if name in SCRATCH:
        scratch, words = scratch_model(name, vocabulary_from)
        return Backbone(_without_pooler(scratch), words)
    source, file = located(name)
    kind: Any = AutoModelForSeq2SeqLM if text_to_text else AutoModel
    extra = {"gguf_file": file} if file else {}
    try:
        with _quiet():
            tokenizer: Any = AutoTokenizer.from_pretrained(source, **extra)
            # Many are published in 16 bits, too coarse for what an optimiser's step adds.
            model, loading = kind.from_pretrained(
                source, dtype=torch.float32, output_loading_info=True, **extra
            )
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        raise _not_to_be_had(name, error) from error
    new = [key for key in loading["missing_keys"] if not any(m in key for m in _MAY_BE_NEW)]
    if new:
        raise DataError(
            f"its weights lack {len(new)} of the model's tensors ({sorted(new)[0]}, ...): "
            "the files are of another architecture",
            file=name,
        )
    if file:
        _forget_quantization(model)
    return Backbone(_without_pooler(model), tokenizer)


def quiet_transformers() -> None:
    """Turn off the bars that transformers draws while it reads and writes files."""
    disable: Any = transformers.utils.logging.disable_progress_bar  # untyped
    disable()


def is_text_to_text(name: str) -> bool:
    """Tell an encoder-decoder by its configuration."""
    return _config_says(name, "is_encoder_decoder", "t5")


def is_decoder(name: str) -> bool:
    """Tell a decoder language model by its configuration."""
    if name in SCRATCH:
        return name == "tiny-llama"
    config = _config(name)
    return any("CausalLM" in (kind or "") for kind in getattr(config, "architectures", None) or [])


def speaker_segments(model: nn.Module) -> bool:
    """Tell whether a model has segment ids enough for two speakers."""
    return int(getattr(model.config, "type_vocab_size", 0) or 0) >= 2


def _config_says(name: str, field: str, scratch: str) -> bool:
    if name in SCRATCH:
        return scratch in name
    return bool(getattr(_config(name), field, False))


def _config(name: str) -> Any:
    source, file = located(name)
    if file:
        return transformers.PretrainedConfig(architectures=["CausalLM"])
    try:
        with _quiet():
            return AutoConfig.from_pretrained(source)
    except (OSError, ValueError, KeyError) as error:
        raise _not_to_be_had(name, error) from error


def _without_pooler(model: Any) -> Any:
    # Its output is not used, and weights without a gradient stop distributed training.
    if getattr(model, "pooler", None) is not None:
        model.pooler = None
    return model


def _forget_quantization(model: Any) -> None:
    # The weights are plain now, but transformers refuses to save what it read from a GGUF file.
    model.hf_quantizer = None
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config


def _not_to_be_had(name: str, error: Exception) -> DataError:
    what = " ".join(str(error).split())[:160]
    if Path(name).exists():
        return DataError(f"no model can be loaded from it ({what})", file=name)
    return DataError(
        f"the model {name} cannot be had: no such folder, and the hub has no such name or cannot "
        f"be reached (name a folder, one of {', '.join((*PACKAGES, *SCRATCH))}, or a hub name)"
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers' warnings back: what matters of them is checked here."""
    logger = logging.getLogger("transformers")
    level = logger.level
    logger.setLevel(logging.ERROR)
    quiet_transformers()
    try:
        yield
    finally:
        logger.setLevel(level)
