"""IRRA (arXiv 2303.12501): CLIP tuned by three losses, of which ranking needs no more than CLIP.

SDM brings the distribution of scores to that of identities (`identity_losses`), hidden words are
told with the help of the picture (`masked_words`), and one classifier names the identity of
either side.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from modeling.retrieval.clip import PROBE, ClipFeeder, ClipMatcher
from modeling.retrieval.clip_towers import Clip, TransformersTowers, load_clip
from modeling.retrieval.identity_losses import same_identity, sdm
from modeling.retrieval.masked_words import CrossEncoder, hidden, told, words_head
from modeling.retrieval.matcher import Batch, Pictures, Representations, Retriever
from modeling.retrieval.settings import IrraSettings, RetrievalSettings
from photochat.errors import DataError

HEAD_WIDTH = 64  # of an attention's head, as CLIP has it
_CLASSES = "head_identity.weight"
_START = 0.001  # deviation of the classifier's weights at the start, as the authors' code has it


class Irra(ClipMatcher):
    """A CLIP of transformers, and what training adds to it: heads for words and identities."""

    def __init__(
        self, clip: Clip, model: IrraSettings, identities: int, temperature: float
    ) -> None:
        super().__init__(clip, "full")
        self._own_scale.requires_grad_(False)  # the temperature of SDM is fixed
        self.log_temperature: Tensor
        self.register_buffer(
            "log_temperature", torch.tensor(math.log(temperature)), persistent=False
        )
        self.head_identity = self.head_cross = self.head_words = None
        if model.identity:
            self.head_identity = nn.Linear(clip.width, identities)
            nn.init.normal_(self.head_identity.weight, std=_START)
            nn.init.zeros_(self.head_identity.bias)
        if model.mlm:
            heads = max(clip.width // HEAD_WIDTH, 1)
            self.head_cross = CrossEncoder(clip.width, heads, model.blocks)
            vocabulary = int(self._clip.config.text_config.vocab_size)
            self.head_words = words_head(clip.width, vocabulary)
            self._prepare_words(clip.tokenizer, vocabulary)

    def _prepare_words(self, tokenizer: Any, vocabulary: int) -> None:
        marks = {getattr(tokenizer, f"{n}_token_id", None) for n in ("cls", "bos", "sep", "eos")}
        marks = {*marks, tokenizer.pad_token_id} - {None}
        words = [number for number in range(min(vocabulary, len(tokenizer))) if number not in marks]
        # CLIP has no mask: the last word of its vocabulary becomes one, as in the authors' code.
        given = getattr(tokenizer, "mask_token_id", None)
        self._mask_id = int(words[-1] if given is None else given)
        self.marks: Tensor
        self.others: Tensor
        self.register_buffer("marks", torch.tensor(sorted(marks)), persistent=False)
        others = [number for number in words if number != self._mask_id]
        self.register_buffer("others", torch.tensor(others), persistent=False)

    @property
    def _clip(self) -> Any:
        return self._towers[0].model

    @property
    def log_scale(self) -> Tensor:
        """Return the logarithm of what cosines are multiplied by, which is not learnt."""
        return -self.log_temperature

    def queries(self, batch: Batch) -> Representations:
        """Return the talks' vectors; in training also as they are before they have length one."""
        return self._sides(self._towers[0].texts(batch["ids"], batch["mask"]))

    def photos(self, batch: Batch) -> Representations:
        """Return the same of photos."""
        return self._sides(self._towers[0].pictures(self._scaled(batch["pixels"])))

    def forward(self, queries: Batch, photos: Batch) -> tuple[Representations, Representations]:
        """Return both sides; in training the talks' "told" and "hidden" too, (pairs,) each."""
        if self.head_cross is None or self.head_words is None or not self.training:
            return super().forward(queries, photos)
        whole, cells = self._cells(photos["pixels"])
        talks, ids, mask = self.queries(queries), queries["ids"], queries["mask"].bool()
        words = mask & ~torch.isin(ids, self.marks.to(ids.dtype))
        shown, wanted = hidden(ids, words, self._mask_id, self.others)
        found = self._clip.text_model(input_ids=shown, attention_mask=mask)
        states = self._clip.text_projection(found.last_hidden_state)
        total, count = told(self.head_cross(states, mask, cells), wanted, self.head_words)
        return {**talks, "told": total, "hidden": count}, self._sides(whole)

    def loss(
        self,
        queries: Representations,
        photos: Representations,
        identities: Tensor,
        settings: RetrievalSettings,
    ) -> Tensor:
        """Return the sum of the three losses, or of those that the settings leave."""
        scores = self.scores(queries, photos).float() * self.scale
        total = sdm(scores, same_identity(identities))
        if self.head_words is not None:
            total = total + queries["told"].sum() / queries["hidden"].sum().clamp(min=1)
        if self.head_identity is not None:
            total = total + sum(
                F.cross_entropy(self.head_identity(side["whole"]), identities) / 2
                for side in (queries, photos)
            )
        return total

    def load_heads(self, folder: Path, *, classes: bool = True) -> None:
        """Load what `save` wrote beside the CLIP, the classifier of identities if `classes`.

        Raises:
            DataError: it is not there, or of another model.
        """
        wanted = {n for n in self.state_dict() if n.startswith("head_")}
        state = _heads(folder) if wanted else {}
        if not classes:
            known = self.state_dict()
            state |= {n: known[n] for n in wanted if n.startswith("head_identity")}
        if set(state) != wanted:
            raise DataError("is of another model", file=folder / PROBE)
        try:
            self.load_state_dict(state, strict=False)
        except RuntimeError as error:
            raise DataError("is of another model", file=folder / PROBE) from error

    def _sides(self, whole: Tensor) -> Representations:
        vector = F.normalize(whole, dim=1)
        return {"vector": vector, "whole": whole} if self.training else {"vector": vector}

    def _scaled(self, pixels: Tensor) -> Tensor:
        return (pixels.float() / 255 - self.mean) / self.deviation

    def _cells(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the vector of each picture and of each of its tokens, the class token first."""
        vision = self._clip.vision_model
        found = vision(pixel_values=self._scaled(pixels))
        states = vision.post_layernorm(found.last_hidden_state)
        return self._clip.visual_projection(found.pooler_output), self._clip.visual_projection(
            states
        )


def build_irra(
    settings: RetrievalSettings,
    pictures: Pictures | None,
    weights: Path | None,
    identities: int,
) -> Retriever:
    """Make an IRRA of a CLIP by name, or load one that was saved to `weights`.

    Identities are numbered below `identities`; 0 takes the number that was saved.

    Raises:
        DataError: the CLIP cannot be had, is not of transformers, or sees squares of another size;
            two texts a query are asked for; `weights` are of another model.
    """
    model = cast(IrraSettings, settings.model)
    if settings.text == "both":
        raise DataError("hides words of one text: leave --text both out")
    torch.manual_seed(settings.training.seed)
    clip = load_clip(model.clip, weights=weights)
    inner = cast(Any, clip.towers).model
    if not isinstance(clip.towers, TransformersTowers) or not hasattr(inner, "text_projection"):
        raise DataError("IRRA needs a CLIP of transformers: name one, or a folder", file=model.clip)
    if clip.side != model.side:
        raise DataError(
            f"sees pictures of {clip.side} pixels a side: add --set side={clip.side}",
            file=model.clip,
        )
    saved = 0
    if weights is not None and model.identity:
        saved = len(_heads(weights).get(_CLASSES, ()))
    matcher = Irra(clip, model, identities or saved, settings.temperature)
    if weights is not None:
        matcher.load_heads(weights, classes=identities in (0, saved))
    return Retriever(matcher, ClipFeeder(clip, settings, pictures), matcher.save)


def _heads(folder: Path) -> dict[str, Tensor]:
    try:
        return load_file(folder / PROBE)
    except (OSError, SafetensorError) as error:
        raise DataError("cannot be loaded", file=folder / PROBE) from error
