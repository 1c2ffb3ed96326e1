"""A network that foretells shares: made of a backbone, run over talks, saved and loaded again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from modeling.backbones.text import Backbone, load_backbone, quiet_transformers
from modeling.examples import IntentExamples
from modeling.intent.causal import CausalReader
from modeling.intent.head import share_probability
from modeling.intent.kinds import KINDS, marks_for
from modeling.intent.metrics import Floats
from modeling.intent.rows import Row, collate, tokenized
from modeling.intent.settings import IntentSettings
from modeling.intent.vocabulary import Marks
from modeling.training.batches import ahead, micro_batches, share_of_process
from photochat.errors import DataError

HEAD = "head.safetensors"
_BACKBONE, _OWN = "backbone.", "head."


class Network(NamedTuple):
    """A module with what it takes to feed it."""

    module: nn.Module
    backbone: Backbone
    marks: Marks
    settings: IntentSettings

    def rows(self, examples: IntentExamples) -> list[Row]:
        """Lay all talks out as the module reads them."""
        tokenizer: Any = self.backbone.tokenizer

        def tokenize(texts: list[str]) -> list[list[int]]:
            # A space in front: vocabularies that keep spaces have most words with one.
            ids: list[list[int]] = tokenizer(
                [f" {text}" for text in texts], add_special_tokens=False, verbose=False
            )["input_ids"]
            return ids

        layout = KINDS[self.settings.kind].rows
        return [
            row
            for talk in tokenized(examples.talks, tokenize)
            for row in layout(talk, self.marks, self.settings.max_length)
        ]


def build_network(
    settings: IntentSettings, texts: Sequence[str] = (), *, weights: Path | None = None
) -> Network:
    """Make a network of a pretrained model, or load one that was saved to the folder `weights`.

    `texts` give the words of a model from scratch.

    Raises:
        DataError: the model cannot be had, or the folder holds another one.
    """
    torch.manual_seed(settings.training.seed)  # the head starts at random
    name = settings.model if weights is None else str(weights)
    backbone = load_backbone(
        name, text_to_text=settings.kind == "t5", vocabulary_from=() if weights else texts
    )
    longest = getattr(backbone.model.config, "max_position_embeddings", None)
    if longest and settings.max_length > longest:
        raise DataError(f"reads {longest} tokens at most: lower --max-length", file=name)
    module = KINDS[settings.kind].module(backbone)
    if isinstance(module, CausalReader):
        module.language = settings.language
    elif settings.language:
        raise DataError(f"--language is for kind causal: a model of kind {settings.kind} has none")
    for part in module.modules():
        if settings.dropout is not None and isinstance(part, nn.Dropout):
            part.p = settings.dropout
    if weights is not None and settings.kind != "t5":
        try:
            state = load_file(weights / HEAD)
            module.load_state_dict({_OWN + n: t for n, t in state.items()}, strict=False)
            if {_OWN + n for n in state} != {n for n in module.state_dict() if _is_own(n)}:
                raise DataError("is the head of another model", file=weights / HEAD)
        except (OSError, SafetensorError, RuntimeError) as error:
            raise DataError(f"cannot be loaded ({_line(error)})", file=weights / HEAD) from error
    if settings.training.checkpoint_gradients:
        backbone.model.gradient_checkpointing_enable({"use_reentrant": False})
    return Network(module, backbone, marks_for(backbone), settings)


def save_network(network: Network, state: dict[str, Tensor], folder: Path) -> None:
    """Write weights `state` into `folder`: `from_pretrained` loads the backbone from there."""
    of_backbone = {
        name.removeprefix(_BACKBONE): tensor.float() if tensor.is_floating_point() else tensor
        for name, tensor in state.items()
        if name.startswith(_BACKBONE)
    }
    quiet_transformers()
    network.backbone.model.save_pretrained(folder, state_dict=of_backbone)
    network.backbone.tokenizer.save_pretrained(folder)
    own = {n.removeprefix(_OWN): t.contiguous().cpu() for n, t in state.items() if _is_own(n)}
    if own:
        save_file(own, folder / HEAD)


def share_probabilities(
    network: Network,
    rows: Sequence[Row],
    size: int,
    accelerator: Accelerator,
    module: nn.Module | None = None,
) -> Floats:
    """Return the probability of a share for each of `size` examples, the same in every process.

    Processes share the rows out among them. `module` is the network's, as prepared for training.
    """
    model = module or network.module.to(accelerator.device)
    lengths = [len(row.ids) for row in rows]
    batches = micro_batches(list(range(len(rows))), lengths, network.settings.training.max_tokens)
    own = share_of_process(batches, accelerator.process_index, accelerator.num_processes)
    found: list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]] = []
    was_training = model.training
    model.eval()
    with torch.no_grad():
        for batch in ahead(
            collate([rows[i] for i in chosen], network.marks.pad) for chosen, _ in own
        ):
            with accelerator.autocast():
                answers = model({n: t.to(accelerator.device) for n, t in batch.items()})
            found.append((batch["examples"].numpy(), share_probability(answers).cpu().numpy()))
    model.train(was_training)
    if accelerator.num_processes > 1:
        found = gather_object(found)
    result = np.zeros(size)
    for examples, probabilities in found:
        result[examples] = probabilities
    return result


def _is_own(name: str) -> bool:
    return name.startswith(_OWN)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:160]
