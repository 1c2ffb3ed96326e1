"""The intent task as the training loop sees it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from accelerate import Accelerator
from torch import Tensor, nn

from modeling.examples import IntentExamples
from modeling.intent.head import share_loss
from modeling.intent.metrics import AT_DEV, Floats, best_threshold, intent_metrics
from modeling.intent.network import Network, build_network, save_network, share_probabilities
from modeling.intent.rows import Row, collate
from modeling.intent.settings import IntentSettings
from modeling.runs import MODEL
from modeling.training.device import open_accelerator
from modeling.training.loop import train
from modeling.training.settings import Device

SHOWN = ("f1", f"f1{AT_DEV}", "precision", "recall", "average_precision")


class IntentTask:
    """Rows of the training split, the loss on them, and metrics on dev."""

    def __init__(self, network: Network, train: IntentExamples, dev: IntentExamples) -> None:
        self.network = network
        self.model: nn.Module = network.module
        self.settings = network.settings
        self._train = network.rows(train)
        self._dev, self._dev_labels = network.rows(dev), dev.labels

    def rows(self, epoch: int) -> Sequence[Row]:
        """Return the epoch's rows; with `keep_negatives`, of a draw of the negatives alone."""
        keep = self.settings.keep_negatives
        if keep >= 1:
            return self._train
        source = np.random.default_rng([self.settings.training.seed, epoch, 1])
        chosen = []
        for row in self._train:
            kept = (row.labels == 1) | (source.random(len(row.labels)) < keep)
            if kept.any():
                chosen.append(
                    row._replace(
                        reads=row.reads[kept], labels=row.labels[kept], examples=row.examples[kept]
                    )
                )
        return chosen

    def tokens(self, row: Row) -> int:
        """Return the row's length."""
        return len(row.ids)

    def examples(self, row: Row) -> float:
        """Return how many answers the row asks for."""
        return len(row.labels)

    def collate(self, rows: Sequence[Row]) -> dict[str, Tensor]:
        """Stack rows."""
        return collate(rows, self.network.marks.pad)

    def loss(self, model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        """Return the summed loss of the batch's answers, and of its tokens where learnt."""
        found = model(batch)
        answers, more = found if isinstance(found, tuple) else (found, 0.0)
        loss = share_loss(
            answers,
            batch["labels"],
            self.settings.loss,
            positive_weight=self.settings.positive_weight,
            gamma=self.settings.focal_gamma,
        )
        return loss.add(more)

    def evaluate(self, model: nn.Module, accelerator: Accelerator) -> dict[str, float]:
        """Return dev metrics, the one that the settings select by first."""
        probabilities = share_probabilities(
            self.network, self._dev, len(self._dev_labels), accelerator, model
        )
        threshold = best_threshold(self._dev_labels, probabilities)
        metrics = intent_metrics(self._dev_labels, probabilities, threshold)
        order = dict.fromkeys((self.settings.select, *SHOWN))
        return {name: metrics[name] for name in order}

    def save(self, state: dict[str, Tensor], folder: Path) -> None:
        """Write the model."""
        save_network(self.network, state, folder)


def learn(
    settings: IntentSettings,
    train_examples: IntentExamples,
    dev: IntentExamples,
    folder: Path,
    *,
    device: Device,
    resume: bool,
    tensorboard: bool,
) -> tuple[Floats, dict[str, float], bool]:
    """Train; return the kept model's dev probabilities, figures of the training, and whether this
    is the main process.
    """
    accelerator = open_accelerator(device, settings.training.precision)
    texts = [turn.text for talk in train_examples.talks for turn in talk.turns]
    with accelerator.main_process_first():  # the others find the model on disk
        network = build_network(settings, texts)
    task = IntentTask(network, train_examples, dev)
    outcome = train(
        task, settings.training, folder, device=device, resume=resume, tensorboard=tensorboard
    )
    kept = build_network(settings, weights=folder / MODEL)
    accelerator = open_accelerator(device, settings.training.precision)
    probabilities = share_probabilities(kept, kept.rows(dev), len(dev), accelerator)
    figures = {
        "steps": outcome.progress.step,
        "best_step": outcome.progress.best_step,
        "stopped_early": float(outcome.stopped_early),
        "tokens_per_second": outcome.tokens_per_second,
        "waiting": outcome.waiting,
        "parameters": float(sum(p.numel() for p in network.module.parameters())),
    }
    return probabilities, figures, accelerator.is_main_process
