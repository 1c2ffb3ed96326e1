"""Int-RA: conversations and their intentions on one side, stickers and attributes on the other."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from modeling.retrieval.matcher import Batch, Matcher, Representations
from modeling.stickers.equations import attention, pooled, relation_aware, relation_scores
from modeling.stickers.settings import IntRASettings
from modeling.stickers.vision import Regions
from photochat.errors import DataError


class IntRA(Matcher):
    """Figure 3. `labels` are the tags in tokens, ids and mask (tags, longest).

    `scores` is CA of equation 13, since both vectors have length 1. The width d is that of the text
    encoder: H^Y comes straight out of it, and is compared with H^R.
    """

    label_ids: Tensor
    label_mask: Tensor

    def __init__(
        self, text: Any, vision: Regions, labels: Batch, settings: IntRASettings, *, segments: bool
    ) -> None:
        super().__init__()
        self.settings = settings
        self.text, self.vision = text, vision
        self._segments = segments
        width = int(text.config.hidden_size)
        if width % settings.heads:
            raise DataError(f"{settings.heads} heads do not divide the text model's width, {width}")
        parts: dict[str, nn.Module] = {"f_vis": nn.Linear(vision.width, width)}
        if settings.intention:
            parts["classifier"] = nn.Linear(width, len(settings.intentions))
        if settings.attributes:
            parts["f_des"] = nn.Linear(width, width)
            for name in ("w_q", "w_k", "w_v"):
                parts[name] = nn.Linear(width, width, bias=False)
        self.head = nn.ModuleDict(parts)  # by this name it may learn faster
        self.register_buffer("label_ids", labels["ids"], persistent=False)
        self.register_buffer("label_mask", labels["mask"], persistent=False)
        if settings.freeze_vision:
            vision.requires_grad_(False)

    def queries(self, batch: Batch) -> Representations:
        """Return H^Y of length 1 as "vector" (n, d), with the intentions' "logits" (n, tags).

        Without intentions it is H^T, and there are no logits.
        """
        text = self._read(batch["ids"], batch["mask"], batch["segments"])  # H^T, equation 3
        if not self.settings.intention:
            return {"vector": functional.normalize(text, dim=-1)}
        logits = self.head["classifier"](text)  # equation 4, before the softmax
        said = self._of_intention(logits.argmax(-1), batch)  # equation 5; H^Y
        return {"vector": functional.normalize(said, dim=-1), "logits": logits}

    def photos(self, batch: Batch) -> Representations:
        """Return H^R of length 1 as "vector" (s, d), of "pixels" and described attributes."""
        regions = self.head["f_vis"](self.vision(batch["pixels"]))  # h^I (s, r, d), equation 10
        if not self.settings.attributes:
            return {"vector": functional.normalize(regions.mean(1), dim=-1)}
        ids, mask, segments = (batch[f"described_{n}"] for n in ("ids", "mask", "segments"))
        words = self.head["f_des"](self._read(ids, mask, segments))
        described = batch["described"]  # (s, a)
        relations = attention(
            self.head["w_q"](words.view(*described.shape, -1)),
            self.head["w_k"](regions),
            self.head["w_v"](regions),
            self.settings.heads,
        )
        score = relation_scores(relations, described, self.settings.relation)
        return {"vector": functional.normalize(relation_aware(score, regions), dim=-1)}

    def _of_intention(self, intention: Tensor, batch: Batch) -> Tensor:
        """Return H^Y (n, d) of the tags `intention` (n,), each tag being read once."""
        if self.settings.fusion == "label":
            tags, place = torch.unique(intention, return_inverse=True)
            ids, mask = self.label_ids[tags], self.label_mask[tags]
            return self._read(ids, mask, torch.zeros_like(ids))[place]
        ids, mask = self.label_ids[intention], self.label_mask[intention]
        # The label with its [CLS] and [SEP], then the text without its [CLS]; padding to the end.
        ids = torch.cat([ids, batch["ids"][:, 1:]], 1)
        segments = torch.cat([torch.zeros_like(mask), batch["segments"][:, 1:]], 1)
        mask = torch.cat([mask, batch["mask"][:, 1:]], 1)
        order = (1 - mask).argsort(dim=1, stable=True)
        return self._read(ids.gather(1, order), mask.gather(1, order), segments.gather(1, order))

    def _read(self, ids: Tensor, mask: Tensor, segments: Tensor) -> Tensor:
        """Return one vector (n, d) for each text."""
        extra = {"token_type_ids": segments} if self._segments else {}
        states = self.text(input_ids=ids, attention_mask=mask, **extra).last_hidden_state
        return pooled(states, mask, mean=self.settings.pooling == "mean")
