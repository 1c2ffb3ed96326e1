"""Training speed: one pass against prefixes, bucketing against plain batches, and HF's Trainer.

All on one model (a BERT with random weights), one device, one run, over dialogues of
published lengths. On a CPU seconds are of the processor, so that a busy machine does not matter.
All are run in turn, some rounds of it, and compared within a round: claims are medians over rounds.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec
import torch
from transformers import BertConfig, BertModel, Trainer, TrainingArguments

from benchmarks.dialogues import source_records
from benchmarks.report import machine, report
from modeling.backbones.scratch import word_tokenizer
from modeling.backbones.text import Backbone
from modeling.examples import IntentExamples, intent_examples
from modeling.intent.head import share_loss
from modeling.intent.kinds import KINDS, marks_for
from modeling.intent.learning import IntentTask
from modeling.intent.network import Network
from modeling.intent.rows import collate
from modeling.intent.settings import IntentSettings, KindName
from modeling.training.loop import train
from modeling.training.settings import TrainingSettings
from photochat.dialogue import Dialogue

ON_GPU = torch.cuda.is_available()
DIALOGUES = 160 if ON_GPU else 32
ROUNDS = 3
WIDTH, LAYERS = (768, 12) if ON_GPU else (256, 4)  # BERT-base; on a CPU its small sister
TALKS = 16 if ON_GPU else 4  # a step of a model that reads once: 8 steps on a CPU, 10 on a GPU
ROWS = (16, 128) if ON_GPU else (16,)  # prefixes a step; a GPU has work enough with many alone
PLAIN = 10**9  # a token budget that never cuts: a batch is padded to its longest row
# Dense bf16 peak in FLOP/s by device name (NVIDIA's data sheets).
PEAKS = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L4": 121e12, "T4": 65e12}


def seconds() -> float:
    """Return a clock that runs with our work alone."""
    if ON_GPU:
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.process_time()


class TimedTask(IntentTask):
    """The intent task without dev: its one evaluation only tells when training ended."""

    ended = 0.0

    def evaluate(self, model: torch.nn.Module, accelerator: object) -> dict[str, float]:
        """Note the time."""
        self.ended = seconds()
        return {"nothing": 0.0}


def network(kind: KindName, examples: IntentExamples, training: TrainingSettings) -> Network:
    """Return a network with random weights."""
    torch.manual_seed(0)
    tokenizer = word_tokenizer(turn.text for talk in examples.talks for turn in talk.turns)
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=WIDTH, num_hidden_layers=LAYERS,
        num_attention_heads=WIDTH // 64, intermediate_size=4 * WIDTH,
    )  # fmt: skip
    backbone = Backbone(BertModel(config, add_pooling_layer=False), tokenizer)
    settings = IntentSettings(model="tiny-bert", kind=kind, training=training)
    return Network(KINDS[kind].module(backbone), backbone, marks_for(backbone), settings)


class Timed(NamedTuple):
    """What an epoch took, and the share of it spent waiting for batches."""

    seconds: float
    tokens: float
    waiting: float = 0.0


def ours(kind: KindName, examples: IntentExamples, rows: int, **changes: int) -> Timed:
    """Train one epoch with this code."""
    training = TrainingSettings(
        epochs=1, rows_per_step=rows, precision="bf16" if ON_GPU else "fp32"
    )
    training = msgspec.structs.replace(training, **changes)
    net = network(kind, examples, training)
    task = TimedTask(net, examples, examples)
    with tempfile.TemporaryDirectory() as folder:
        start = seconds()
        outcome = train(task, training, Path(folder))
    tokens = sum(task.tokens(row) for row in task.rows(0))
    return Timed(task.ended - start, tokens, outcome.waiting)


def trainers(examples: IntentExamples, size: int) -> Timed:
    """Train one epoch of prefixes with Hugging Face's Trainer and dynamic padding."""
    net = network("encoder", examples, TrainingSettings())

    class WithLoss(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = net.module

        def forward(self, **batch: torch.Tensor) -> dict[str, torch.Tensor]:
            loss = share_loss(self.network(batch), batch["labels"]) / len(batch["labels"])
            return {"loss": loss}

    rows = net.rows(examples)
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder, num_train_epochs=1, per_device_train_batch_size=size, learning_rate=3e-5,
            save_strategy="no", report_to="none", use_cpu=not ON_GPU, bf16=ON_GPU,
            remove_unused_columns=False, disable_tqdm=True, logging_steps=10,
            label_names=["labels"],
        )  # fmt: skip
        trainer = Trainer(
            WithLoss(),
            arguments,
            train_dataset=rows,  # type: ignore[arg-type]
            data_collator=lambda chosen: collate(chosen, net.marks.pad),
        )
        start = seconds()
        trainer.train()
        return Timed(seconds() - start, sum(len(row.ids) for row in rows))


def peak() -> float | None:
    """Return the device's peak in FLOP per second; None where it is not known."""
    name = torch.cuda.get_device_name() if ON_GPU else ""
    return next((value for key, value in PEAKS.items() if key in name), None)


def utilisation(tokens: float, spent: float) -> float:
    """Return model FLOP per second over the device's peak."""
    return 6 * LAYERS * 12 * WIDTH**2 * tokens / spent / (peak() or float("inf"))


def measured(examples: IntentExamples) -> dict[str, list[Timed]]:
    """Run everything ROUNDS times in turn, every other time backwards."""
    runs: dict[str, Callable[[], Timed]] = {
        "one pass": lambda: ours("turn-causal", examples, TALKS)
    }
    for size in ROWS:
        runs |= {
            f"prefixes, {size} a step": partial(ours, "encoder", examples, size),
            f"plain, {size} a step": partial(
                ours, "encoder", examples, size, bucket=1, max_tokens=PLAIN
            ),
            f"Trainer, {size} a step": partial(trainers, examples, size),
        }
    found: dict[str, list[Timed]] = {name: [] for name in runs}
    for number in range(ROUNDS):
        for name in reversed(runs) if number % 2 else runs:
            found[name].append(runs[name]())
    return found


def main() -> None:
    """Measure and report."""
    name, records = source_records()
    dialogues = [msgspec.convert(record, Dialogue) for record in records[:DIALOGUES]]
    examples = intent_examples(dialogues)
    few = intent_examples(dialogues[:4])  # to warm up
    ours("encoder", few, 16), trainers(few, 16)
    found = measured(examples)

    def ratio(slow: str, fast: str) -> float:
        pairs = zip(found[slow], found[fast], strict=True)
        return statistics.median(one.seconds / other.seconds for one, other in pairs)

    claims = [
        ("one pass over prefixes, dialogues per second",
         ratio(f"prefixes, {ROWS[0]} a step", "one pass"), ">=", 3.5),
    ]  # fmt: skip
    for size in ROWS:
        own = f"prefixes, {size} a step"
        waiting = statistics.median(run.waiting for run in found[own])
        claims += [
            (f"bucketing over batches of {size} padded to their longest",
             ratio(f"plain, {size} a step", own), ">=", 1.5),
            (f"share of the time waiting for batches of {size}", waiting, "<=", 0.05),
            (f"prefixes over Hugging Face's Trainer, {size} a step, examples per second",
             ratio(f"Trainer, {size} a step", own), ">=", 1.0),
        ]  # fmt: skip
    report(
        "intent",
        claims,
        {
            "data": f"{len(dialogues)} dialogues: {name}",
            "device": torch.cuda.get_device_name() if ON_GPU else "cpu, processor seconds",
            "model": f"BERT, {LAYERS} layers of {WIDTH}",
            "threads": torch.get_num_threads(),
            "rounds": ROUNDS,
            "seconds": {
                name: [round(run.seconds, 2) for run in runs] for name, runs in found.items()
            },
            "tokens_per_second": {
                name: round(statistics.median(run.tokens / run.seconds for run in runs))
                for name, runs in found.items()
            },
            "flop_utilisation": {
                name: statistics.median(utilisation(run.tokens, run.seconds) for run in runs)
                for name, runs in found.items()
            }
            if peak()
            else None,
            **machine("torch", "transformers", "accelerate"),
        },
    )


if __name__ == "__main__":
    main()
