"""Training speed: one pass against prefixes, bucketing against plain batches, and HF's Trainer.

All on one model (a BERT with random weights), one device, one run, over dialogues of
published lengths. On a CPU seconds are of the processor, so that a busy machine does not matter.
"""

import tempfile
import time
from pathlib import Path

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
DIALOGUES = 500 if ON_GPU else 24
WIDTH, LAYERS = (768, 12) if ON_GPU else (256, 4)  # BERT-base; on a CPU its small sister
ROWS = 16
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


def ours(kind: KindName, examples: IntentExamples, **changes: int) -> tuple[float, float, float]:
    """Train one epoch; return seconds, the share of them waiting, and tokens."""
    training = TrainingSettings(
        epochs=1, rows_per_step=ROWS, precision="bf16" if ON_GPU else "fp32"
    )
    training = msgspec.structs.replace(training, **changes)
    net = network(kind, examples, training)
    task = TimedTask(net, examples, examples)
    with tempfile.TemporaryDirectory() as folder:
        start = seconds()
        outcome = train(task, training, Path(folder))
    tokens = sum(task.tokens(row) for row in task.rows(0))
    return task.ended - start, outcome.waiting, tokens


def trainers(examples: IntentExamples) -> float:
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
            folder, num_train_epochs=1, per_device_train_batch_size=ROWS, learning_rate=3e-5,
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
        return seconds() - start


def utilisation(tokens: float, spent: float) -> float | None:
    """Return model FLOP per second over the device's peak; None where the peak is not known."""
    name = torch.cuda.get_device_name() if ON_GPU else ""
    peak = next((value for key, value in PEAKS.items() if key in name), None)
    weights = LAYERS * 12 * WIDTH**2
    return None if peak is None else 6 * weights * tokens / spent / peak


def main() -> None:
    """Measure and report."""
    name, records = source_records()
    dialogues = [msgspec.convert(record, Dialogue) for record in records[:DIALOGUES]]
    examples = intent_examples(dialogues)
    ours("encoder", intent_examples(dialogues[:4]))  # to warm up
    once, _, once_tokens = ours("turn-causal", examples)
    prefixes, waiting, tokens = ours("encoder", examples)
    plain, _, _ = ours("encoder", examples, bucket=1, max_tokens=PLAIN)
    peer = trainers(examples)
    claims = [
        ("one pass over prefixes, dialogues per second", prefixes / once, ">=", 3.5),
        ("bucketing over batches padded to their longest", plain / prefixes, ">=", 1.5),
        ("share of the time waiting for batches", waiting, "<=", 0.05),
        ("prefixes over Hugging Face's Trainer, examples per second", peer / prefixes, ">=", 1.0),
    ]
    report(
        "intent",
        claims,
        {
            "data": f"{len(dialogues)} dialogues: {name}",
            "device": torch.cuda.get_device_name() if ON_GPU else "cpu, processor seconds",
            "model": f"BERT, {LAYERS} layers of {WIDTH}",
            "threads": torch.get_num_threads(),
            "seconds_once": round(once, 2),
            "seconds_prefixes": round(prefixes, 2),
            "seconds_plain": round(plain, 2),
            "seconds_trainer": round(peer, 2),
            "tokens_per_second_prefixes": round(tokens / prefixes),
            "tokens_per_second_once": round(once_tokens / once),
            "flop_utilisation_prefixes": utilisation(tokens, prefixes),
            **machine("torch", "transformers", "accelerate"),
        },
    )


if __name__ == "__main__":
    main()
