"""CLIP models of open_clip and of transformers behind one face.

Named `open_clip:NAME` (a random network of that architecture), `open_clip:NAME/TAG` (a tag of its
pretrained weights, or a file), `open_clip:FOLDER` (with open_clip_config.json), or as transformers
names models: a hub name or a folder.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol, cast

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from photochat.errors import DataError

OPEN_CLIP = "open_clip:"
WEIGHTS = "open_clip_model.safetensors"
_CONFIG = "open_clip_config.json"
# Mean and deviation of a channel from 0 to 1: OpenAI's CLIP, and with it nearly all others.
MEAN = (0.48145466, 0.4578275, 0.40821073)
DEVIATION = (0.26862954, 0.26130258, 0.27577711)


class Towers(Protocol):
    """A CLIP model. Vectors come as the model makes them, not yet of length one."""

    model: nn.Module

    def texts(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return vectors (texts, width) of token ids that end with the end mark."""

    def pictures(self, pixels: Tensor) -> Tensor:
        """Return vectors (photos, width) of normalised pixels (photos, 3, side, side)."""

    def save(self, state: Mapping[str, Tensor], folder: Path) -> None:
        """Write the model with weights `state` (named as in `model`), for others to load."""


class Clip(NamedTuple):
    """Towers, the tokenizer they go with, and what they expect of a picture."""

    towers: Towers
    tokenizer: Any
    width: int
    context_length: int
    side: int
    mean: Sequence[float] = MEAN
    deviation: Sequence[float] = DEVIATION


class OpenClipTokenizer:
    """open_clip's byte pairs, called as transformers' tokenizers are."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self.bos_token_id = self.cls_token_id = int(tokenizer.sot_token_id)
        self.eos_token_id = self.sep_token_id = int(tokenizer.eot_token_id)
        self.pad_token_id = 0

    def __call__(self, texts: str | list[str], **_: Any) -> dict[str, Any]:
        """Return {"input_ids": ...} without marks at either end."""
        if isinstance(texts, str):
            return {"input_ids": self._tokenizer.encode(texts)}
        return {"input_ids": [self._tokenizer.encode(text) for text in texts]}

    def save_pretrained(self, folder: Path) -> None:
        """Write nothing: open_clip brings its vocabulary along."""


class OpenClipTowers(nn.Module):
    """A model of open_clip."""

    def __init__(self, model: Any, config: dict[str, Any]) -> None:
        super().__init__()
        self.model = model
        self._config = config

    def texts(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Read texts, filled up to the length that the model always reads."""
        room = int(self.model.context_length) - ids.shape[1]
        filled = nn.functional.pad(ids * mask, (0, room))
        vectors: Tensor = self.model.encode_text(filled)
        return vectors

    def pictures(self, pixels: Tensor) -> Tensor:
        """See pictures."""
        vectors: Tensor = self.model.encode_image(pixels)
        return vectors

    def save(self, state: Mapping[str, Tensor], folder: Path) -> None:
        """Write a folder that open_clip loads as `local-dir:FOLDER`."""
        config = {"model_cfg": self._config, "preprocess_cfg": {"mean": MEAN, "std": DEVIATION}}
        (folder / _CONFIG).write_text(json.dumps(config, indent=2))
        save_file({n: t.contiguous().cpu() for n, t in state.items()}, folder / WEIGHTS)


class TransformersTowers(nn.Module):
    """A CLIPModel of transformers, or another with its two methods (SigLIP)."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        super().__init__()
        self.model = model
        self._tokenizer = tokenizer

    def texts(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Read texts."""
        return _vectors(self.model.get_text_features(input_ids=ids, attention_mask=mask))

    def pictures(self, pixels: Tensor) -> Tensor:
        """See pictures."""
        return _vectors(self.model.get_image_features(pixel_values=pixels))

    def save(self, state: Mapping[str, Tensor], folder: Path) -> None:
        """Write a folder that `from_pretrained` loads."""
        self.model.save_pretrained(folder, state_dict=dict(state))
        self._tokenizer.save_pretrained(folder)


def load_clip(name: str, *, weights: Path | None = None) -> Clip:
    """Load a CLIP model by name, or one of that name that `save` wrote to the folder `weights`.

    Raises:
        DataError: the name cannot be had, or the weights are of another model.
    """
    if name.startswith(OPEN_CLIP):
        source = f"{OPEN_CLIP}{weights}" if weights else name
        return _open_clip(source, name)
    return _transformers(str(weights or name), name)


def _open_clip(source: str, name: str) -> Clip:
    import open_clip

    what = source.removeprefix(OPEN_CLIP)
    try:
        with _quiet():
            if (Path(what) / _CONFIG).is_file():
                config = json.loads((Path(what) / _CONFIG).read_text())["model_cfg"]
                model = open_clip.create_model(f"local-dir:{what}", load_weights=False)
                model.load_state_dict(load_file(Path(what) / WEIGHTS))
            else:
                # An architecture's name has no slash; a tag or a path to weights comes after it.
                architecture, _, tag = what.partition("/")
                config = open_clip.get_model_config(architecture)
                if config is None:
                    raise ValueError(f"open_clip knows no architecture {architecture}")
                model = open_clip.create_model(architecture, pretrained=tag or None)
    except Exception as error:  # hubs, files and tensors fail in ways of their own
        raise DataError(f"the CLIP model {name} cannot be had ({_line(error)})") from error
    if config.get("text_cfg", {}).get("hf_tokenizer_name"):
        raise DataError(f"{name} has a tokenizer of transformers: name it as transformers does")
    from open_clip.tokenizer import SimpleTokenizer

    visual = cast(Any, model.visual)
    side = visual.image_size[0] if isinstance(visual.image_size, tuple) else visual.image_size
    length = int(cast(Any, model).context_length)
    return Clip(
        OpenClipTowers(model, config),
        OpenClipTokenizer(SimpleTokenizer(context_length=length)),
        int(config["embed_dim"]),
        length,
        int(side),
        tuple(getattr(visual, "image_mean", None) or MEAN),
        tuple(getattr(visual, "image_std", None) or DEVIATION),
    )


def _transformers(source: str, name: str) -> Clip:
    from transformers import AutoModel, AutoTokenizer

    from modeling.backbones.text import quiet_transformers

    quiet_transformers()
    try:
        with _quiet():
            tokenizer: Any = AutoTokenizer.from_pretrained(source)
            model: Any = AutoModel.from_pretrained(source, dtype=torch.float32)
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        raise DataError(
            f"the CLIP model {name} cannot be had ({_line(error)}): name a folder, a hub name, or "
            f"{OPEN_CLIP}NAME/TAG"
        ) from error
    if not hasattr(model, "get_image_features") or not hasattr(model, "logit_scale"):
        raise DataError("is no CLIP model: it has no two towers and a scale", file=name)
    config = model.config
    return Clip(
        TransformersTowers(model, tokenizer),
        tokenizer,
        int(getattr(config, "projection_dim", config.text_config.hidden_size)),
        int(config.text_config.max_position_embeddings),
        int(config.vision_config.image_size),
        *_normal(source),
    )


def _normal(source: str) -> tuple[Sequence[float], Sequence[float]]:
    """Return mean and deviation by the model's own file, CLIP's where it has none."""
    file = Path(source) / "preprocessor_config.json"
    if not file.is_file():
        return MEAN, DEVIATION
    said = json.loads(file.read_text())
    return said.get("image_mean", MEAN), said.get("image_std", DEVIATION)


def _vectors(output: Any) -> Tensor:
    # Before transformers 5 the vectors themselves were returned.
    vectors: Tensor = output if isinstance(output, Tensor) else output.pooler_output
    return vectors


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:160]


@contextmanager
def _quiet() -> Iterator[None]:
    logger = logging.getLogger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
