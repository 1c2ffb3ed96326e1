"""DiaNA: dialogue and picture compared as wholes and attribute by attribute (chat-based retrieval).

A text model reads the dialogue, a vision transformer sees the picture. One vector of each is the
global side; a `Refiner` of each, or one that both share, draws attribute vectors out of the tokens.
The loss is ITC and SDM, on global and on refined scores, with every photo of an identity right.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from modeling.backbones.image import ImageTower
from modeling.retrieval.identity_losses import itc, same_identity, sdm
from modeling.retrieval.matcher import Batch, Matcher, Representations
from modeling.retrieval.refiner import Refiner, slot_scores
from modeling.retrieval.settings import DianaSettings, RetrievalSettings
from modeling.retrieval.text_towers import TextTower

ITEMS_AT_ONCE = 256  # prefixes refined at once: each has its dialogue's keys and values to itself


class Diana(Matcher):
    """`image` None: the dialogue's encoder reads the photo's labels, for want of pictures."""

    def __init__(
        self,
        text: TextTower,
        image: ImageTower | None,
        model: DianaSettings,
        *,
        temperature: float,
        learn_temperature: bool,
    ) -> None:
        super().__init__(temperature, learn_temperature)
        self.text, self.image, self.model = text, image, model
        width = model.width
        seen = text.width if image is None else image.width
        self.head_text, self.head_text_tokens = (
            nn.Linear(text.width, width),
            nn.Linear(text.width, width),
        )
        self.head_photo, self.head_photo_tokens = nn.Linear(seen, width), nn.Linear(seen, width)
        self.head_refiner: Refiner | None = None
        self.head_photo_refiner: Refiner | None = None
        if model.refine in ("both", "dialogue"):
            self.head_refiner = Refiner(model.slots, width, model.heads)
        if model.refine == "visual" or (model.refine == "both" and not model.shared):
            self.head_photo_refiner = Refiner(model.slots, width, model.heads)

    def queries(self, batch: Batch) -> Representations:
        """Return "global" (queries, width) and "slots" (queries, slots, width)."""
        lengths = batch["mask"].sum(1)
        rows = torch.arange(len(lengths), device=lengths.device)
        return self.rounds({**batch, "row": rows, "length": lengths})

    def rounds(self, batch: Batch) -> Representations:
        """Return the same of each prefix in `batch`, read in one pass (`TurnTokens.rounds`).

        Of a model that reads both ways, the prefixes are whole rows.
        """
        states = self.text.states(batch["ids"], batch["mask"])
        tokens = states if self.head_refiner is None else self.head_text_tokens(states)
        places = torch.arange(states.shape[1], device=states.device)
        parts = []
        for row, length in zip(
            torch.split(batch["row"], ITEMS_AT_ONCE),
            torch.split(batch["length"], ITEMS_AT_ONCE),
            strict=True,
        ):
            mask = places < length[:, None]
            if self.model.pooling == "last":
                pooled = states[row, length.clamp(min=1) - 1]
            else:
                pooled = _pooled(states[row], mask, self.model.pooling)
            parts.append(self._both(self.head_text(pooled), self.head_refiner, tokens, mask, row))
        return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}

    def photos(self, batch: Batch) -> Representations:
        """Return "global" (photos, width) and "slots" (photos, slots, width)."""
        refiner = self.head_photo_refiner
        if refiner is None and self.model.refine == "both":
            refiner = self.head_refiner
        if self.image is None:
            mask = batch["mask"].bool()
            states = self.text.states(batch["ids"], batch["mask"])
            pooled = _pooled(states, mask, "mean")
        else:
            mask, states = None, self.image.cells(batch["pixels"])
            pooled = states.mean(1)
        tokens = self.head_photo_tokens(states)
        return self._both(self.head_photo(pooled), refiner, tokens, mask)

    def _both(
        self,
        pooled: Tensor,
        refiner: Refiner | None,
        tokens: Tensor,
        mask: Tensor | None,
        row: Tensor | None = None,
    ) -> Representations:
        whole = F.normalize(pooled, dim=1)
        if self.model.refine == "none":
            return {"global": whole}
        if refiner is None:  # this side is left as it is, against the other's attributes
            return {"global": whole, "slots": whole[:, None].expand(-1, self.model.slots, -1)}
        return {"global": whole, "slots": refiner(tokens, mask, row)}

    def scores(self, queries: Representations, photos: Representations) -> Tensor:
        """Return the scores (queries, photos) by the settings' choice; of both, their mean."""
        by = "global" if self.model.refine == "none" else self.model.score
        if by == "both":
            whole, refined = self.both_scores(queries, photos)
            return (whole + cast(Tensor, refined)) / 2
        return self.both_scores(queries, photos)[0 if by == "global" else 1]  # type: ignore[return-value]

    def both_scores(
        self, queries: Representations, photos: Representations
    ) -> tuple[Tensor, Tensor | None]:
        """Return global and refined scores, None where nothing is refined."""
        whole = queries["global"] @ photos["global"].T
        if "slots" not in queries:
            return whole, None
        return whole, slot_scores(queries["slots"], photos["slots"])

    def loss(
        self,
        queries: Representations,
        photos: Representations,
        identities: Tensor,
        settings: RetrievalSettings,
    ) -> Tensor:
        """Return the sum of the losses asked for over global and refined scores."""
        right = same_identity(identities)
        total = queries["global"].new_zeros(())
        for scores in self.both_scores(queries, photos):
            if scores is None:
                continue
            scaled = scores.float() * self.scale
            if "itc" in self.model.losses:
                total = total + itc(scaled, right)
            if "sdm" in self.model.losses:
                total = total + sdm(scaled, right)
        return total


def _pooled(states: Tensor, mask: Tensor, pooling: str) -> Tensor:
    """Return the first state, or the mean of the real ones, (items, width)."""
    if pooling == "cls":
        return states[:, 0]
    kept = mask[:, :, None].to(states.dtype)
    return (states * kept).sum(1) / kept.sum(1).clamp(min=1)
