"""Int-RA's task as the training loop sees it.

A row is a group of conversations whose stickers are each other's negatives: the paper's batch of
four. So losses add up over rows, however these are spread over micro-batches and processes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn

from modeling.stickers.equations import intention_loss, retrieval_loss
from modeling.stickers.examples import Gallery, Pixels, StickerExamples
from modeling.stickers.measures import Scored, sticker_metrics
from modeling.stickers.network import Network, described_table, save_network
from modeling.stickers.represent import scored

Group = tuple[int, ...]  # conversations
SHOWN = ("map", "precision@1", "precision@3", "precision@5", "intention_accuracy")


def groups_of(count: int, size: int, seed: int, epoch: int) -> list[Group]:
    """Deal `count` conversations into groups of `size`, anew each epoch.

    A last one by itself, which would have no negatives, joins the group before it.
    """
    order = np.random.default_rng([seed, epoch, 2]).permutation(count).tolist()
    groups = [tuple(order[at : at + size]) for at in range(0, count, size)]
    if len(groups) > 1 and len(groups[-1]) == 1:
        groups[-2:] = [groups[-2] + groups[-1]]
    return groups


class StickersTask:
    """Groups of the training split, the joint loss on them, and metrics on valid."""

    def __init__(
        self,
        network: Network,
        gallery: Gallery,
        pixels: Pixels,
        train: StickerExamples,
        valid: StickerExamples,
    ) -> None:
        self.network = network
        self.model: nn.Module = network.module
        self.settings = network.settings
        self._gallery, self._pixels, self._valid = gallery, pixels, valid
        self._train = train
        self._texts = network.conversations(train)
        self._descriptions = network.descriptions(gallery)
        self._described = described_table(gallery)

    def rows(self, epoch: int) -> Sequence[Group]:
        """Return the epoch's groups."""
        seed = self.settings.training.seed
        return groups_of(len(self._train), self.settings.group, seed, epoch)

    def tokens(self, row: Group) -> int:
        """Return how many tokens a group has, with those of its stickers' descriptions."""
        said = sum(len(self._texts[i].ids) for i in row)
        if not self.settings.attributes:
            return said
        stickers = {self._train.gold[i] for i in row}
        return said + sum(len(text.ids) for s in stickers for text in self._descriptions[s])

    def examples(self, row: Group) -> float:
        """Return the number of conversations."""
        return len(row)

    def collate(self, rows: Sequence[Group]) -> dict[str, Tensor]:
        """Stack groups; a sticker that several conversations have stands there once."""
        members = [i for row in rows for i in row]
        group_of = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
        stickers = sorted({self._train.gold[i] for i in members})
        place = {sticker: at for at, sticker in enumerate(stickers)}
        gold = np.array([place[self._train.gold[i]] for i in members])
        negatives = np.zeros((len(members), len(stickers)), bool)
        for i in range(len(members)):
            negatives[i, gold[group_of == group_of[i]]] = True
        negatives[np.arange(len(members)), gold] = False
        return {
            **self.network.query_batch([self._texts[i] for i in members]),
            **self.network.sticker_batch(
                self._pixels[stickers],
                [self._descriptions[s] for s in stickers],
                self._described[stickers],
            ),
            "gold": torch.from_numpy(gold),
            "negatives": torch.from_numpy(negatives),
            "intention": torch.tensor([self._train.tags[i] for i in members]),
        }

    def loss(self, model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        """Return lambda_1 L_ret + lambda_2 L_int, summed over the batch's conversations."""
        queries, photos = model(batch, batch)
        scores = queries["vector"] @ photos["vector"].T
        chosen = self.settings
        loss = chosen.retrieval_weight * retrieval_loss(
            scores, batch["gold"], batch["negatives"], chosen.margin, chosen.positive
        )
        if chosen.intention:
            loss += chosen.intention_weight * intention_loss(queries["logits"], batch["intention"])
        return loss

    def evaluate(self, model: nn.Module, accelerator: Accelerator) -> dict[str, float]:
        """Return metrics on valid, mAP first; every process computes them all."""
        found: Scored = scored(self.network, self._gallery, self._pixels, self._valid, accelerator)
        metrics = sticker_metrics(found, self._valid, self._gallery, resamples=0)
        return {name: metrics[name].value for name in SHOWN if name in metrics}

    def save(self, state: dict[str, Tensor], folder: Path) -> None:
        """Write the model."""
        save_network(self.network, state, folder)
