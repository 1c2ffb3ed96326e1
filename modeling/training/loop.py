"""The training loop: one process or many, any model, any task that says what `Task` asks.

Read `train` from top to bottom: it is the whole of it. A step is some rows, read in micro-batches;
its gradient is that of the sum of losses over the examples of all rows divided by their number,
however the rows are cut into micro-batches and spread over processes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

import msgspec
import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType, set_seed
from torch import Tensor, nn

from modeling.runs import MODEL
from modeling.training.averaging import WeightAverage
from modeling.training.batches import Rows, ahead, micro_batches, plan_epoch, share_of_process
from modeling.training.checkpoint import Progress, load_checkpoint, save_checkpoint
from modeling.training.device import open_accelerator
from modeling.training.log import RunLog
from modeling.training.schedule import learning_rate_factor, rate_by_name
from modeling.training.settings import Device, TrainingSettings
from photochat.atomic import atomic_folder
from photochat.errors import DataError

CHECKPOINTS = "checkpoints"
Batch = dict[str, Tensor]


class Task(Protocol):
    """What is learnt. Rows are opaque to the loop but for their number of tokens."""

    model: nn.Module

    def rows(self, epoch: int) -> Sequence[Any]:
        """Return the rows of an epoch; the same for the same epoch."""

    def tokens(self, row: Any) -> int:
        """Return how many tokens a row has."""

    def collate(self, rows: Sequence[Any]) -> Batch:
        """Return tensors on the CPU, the first dimension of "ids" being rows."""

    def evaluate(self, model: nn.Module, accelerator: Accelerator) -> dict[str, float]:
        """Return dev metrics, the same in every process; the first decides which model is kept."""

    def save(self, state: dict[str, Tensor], folder: Path) -> None:
        """Write the model with weights `state` into `folder`, for others to load."""


class SummedTask(Task, Protocol):
    """A Task whose loss is a sum over examples, so that it adds up over micro-batches."""

    def examples(self, row: Any) -> float:
        """Return how many examples a row counts for in the mean loss."""

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Return the sum of the losses over the batch's examples."""


@runtime_checkable
class WholeStepTask(Task, Protocol):
    """A Task whose loss compares all rows of a step with each other."""

    def cut(self, rows: Rows, processes: int) -> list[Rows]:
        """Cut the rows of a step into the batches that are read at once."""

    def step_loss(
        self, model: nn.Module, batches: list[tuple[Batch, bool]], accelerator: Accelerator
    ) -> Tensor:
        """Leave the gradient of the step's mean loss in the parameters; return the loss.

        Batches are this process's, on the CPU, each with whether it counts; gradient and loss are
        of all processes' batches together.
        """


AnyTask = SummedTask | WholeStepTask


@runtime_checkable
class RatedTask(Protocol):
    """A Task that has a say in the learning rates of single parameters."""

    def rate_factor(self, name: str, fresh: float) -> float:
        """Return what a parameter's rate is multiplied by; `fresh` is for untrained parts."""


class Outcome(NamedTuple):
    """How training ended."""

    progress: Progress
    stopped_early: bool
    tokens_per_second: float
    waiting: float  # share of the time spent waiting for batches


class _Step(NamedTuple):
    batches: list[tuple[Batch, bool]]  # of this process, each with whether it counts
    examples: float  # of all processes
    tokens: int  # of all processes, without padding


class _Taken(NamedTuple):
    step: int
    loss: Tensor
    norm: Tensor
    figures: dict[str, float]


def train(
    task: AnyTask,
    settings: TrainingSettings,
    folder: Path,
    *,
    device: Device = "auto",
    resume: bool = False,
    tensorboard: bool = False,
) -> Outcome:
    """Train `task.model`; keep the model that is best on dev in `folder`/model.

    With `resume`, go on from the newest checkpoint: the result is that of a run never interrupted.

    Raises:
        DataError: the loss is not a number, memory ran out, or the folder cannot be written.
    """
    accelerator = open_accelerator(device, settings.precision)
    set_seed(settings.seed + accelerator.process_index)  # dropout differs between processes
    if settings.compile:
        task.model.compile(dynamic=True)
    peak_rates, optimizer = _optimizer(task, settings, fused=accelerator.device.type == "cuda")
    model, optimizer = accelerator.prepare(task.model, optimizer)
    average = _average(model, settings, accelerator)
    sizes = [len(task.rows(epoch)) for epoch in range(settings.epochs)]
    total = sum(math.ceil(size / settings.rows_per_step) for size in sizes)
    if not total:
        raise DataError("there is nothing to train on")
    warmup = round(settings.warmup * total)
    progress = (
        load_checkpoint(accelerator, folder / CHECKPOINTS) if resume else None
    ) or Progress()
    begun, tokens, waited, spent = time.perf_counter(), 0, 0.0, 0.0

    with RunLog(
        folder,
        total,
        start=progress.step,
        tensorboard=tensorboard,
        active=accelerator.is_main_process,
    ) as log:
        for epoch in range(progress.epoch, settings.epochs):
            if _stop(progress, settings):
                break
            rows = task.rows(epoch)
            lengths = [task.tokens(row) for row in rows]
            plan = plan_epoch(
                lengths,
                rows_per_step=settings.rows_per_step,
                bucket=settings.bucket,
                seed=settings.seed,
                epoch=epoch,
            )
            evaluate_at = {
                round(len(plan) * n / settings.evaluations)
                for n in range(1, settings.evaluations + 1)
            }
            done = progress.step_in_epoch
            taken: _Taken | None = None
            steps = ahead(_prepare(task, rows, lengths, plan[done:], settings, accelerator))
            while done < len(plan) and not _stop(progress, settings):
                start = time.perf_counter()
                step = next(steps)
                waited += time.perf_counter() - start
                rate = learning_rate_factor(progress.step, total, warmup, settings.decay)
                for group, peak in zip(optimizer.param_groups, peak_rates, strict=True):
                    group["lr"] = peak * rate
                loss, norm = _do(task, model, optimizer, step, accelerator, settings)
                done += 1
                progress = msgspec.structs.replace(
                    progress, step=progress.step + 1, epoch=epoch, step_in_epoch=done
                )
                if average:
                    average.update(progress.step)
                if taken:  # to ask a GPU for the newest loss would be to wait for it in each step
                    _note(log, taken)
                now = time.perf_counter()
                tokens, spent = tokens + step.tokens, spent + now - start
                taken = _Taken(
                    progress.step,
                    loss,
                    norm,
                    {
                        "epoch": epoch + done / len(plan),
                        "learning_rate": settings.learning_rate * rate,
                        "tokens_per_second": step.tokens / (now - start),
                        "seconds": now - begun,
                    },
                )
                if done in evaluate_at:
                    _note(log, taken)
                    taken = None
                    spent += time.perf_counter() - now
                    with average.in_place() if average else nullcontext():
                        metrics = task.evaluate(model, accelerator)
                        log.evaluation(progress.step, metrics)
                        progress = _judged(progress, next(iter(metrics.values())))
                        if progress.best_step == progress.step:
                            _keep(task, model, accelerator, folder / MODEL)
                    if done == len(plan):
                        progress = msgspec.structs.replace(
                            progress, epoch=epoch + 1, step_in_epoch=0
                        )
                    save_checkpoint(accelerator, folder / CHECKPOINTS, progress)
    return Outcome(
        progress,
        _stop(progress, settings) and progress.step < total,
        tokens / spent if spent else 0.0,
        waited / spent if spent else 0.0,
    )


def _prepare(
    task: AnyTask,
    rows: Sequence[Any],
    lengths: Sequence[int],
    plan: Sequence[list[int]],
    settings: TrainingSettings,
    accelerator: Accelerator,
) -> Iterator[_Step]:
    pin = accelerator.device.type == "cuda"
    for chosen in plan:
        if isinstance(task, WholeStepTask):
            cut, examples = task.cut(chosen, accelerator.num_processes), float(len(chosen))
        else:
            cut = micro_batches(chosen, lengths, settings.max_tokens)
            examples = sum(task.examples(rows[row]) for row in chosen)
        own = share_of_process(cut, accelerator.process_index, accelerator.num_processes)
        batches = []
        for batch, counts in own:
            tensors = task.collate([rows[row] for row in batch])
            pinned = {n: t.pin_memory() if pin else t for n, t in tensors.items()}
            batches.append((pinned, counts))
        yield _Step(
            batches,
            examples,
            sum(lengths[row] for row in chosen),
        )


def _do(
    task: AnyTask,
    model: nn.Module,
    optimizer: Any,
    step: _Step,
    accelerator: Accelerator,
    settings: TrainingSettings,
) -> tuple[Tensor, Tensor]:
    """Take one optimiser step; return its mean loss and the norm of its gradient.

    Both are on the device, where they may not have been computed yet.
    """
    if isinstance(task, WholeStepTask):
        mean = task.step_loss(model, step.batches, accelerator).detach()
    else:
        mean = _summed_loss(task, model, step, accelerator, settings)
    norm: Any = accelerator.clip_grad_norm_(model.parameters(), settings.clip)
    optimizer.step()
    optimizer.zero_grad()
    return mean, norm


def _note(log: RunLog, taken: _Taken) -> None:
    """Write a step's line. Its loss is looked at here, before anything of the step is kept."""
    loss = float(taken.loss)
    if not math.isfinite(loss):
        raise DataError(
            f"the loss is {loss} in step {taken.step}: training stopped; the last good checkpoint "
            "is kept. Try a lower --learning-rate, or --precision fp32"
        )
    values = {"loss": loss, "gradient_norm": float(taken.norm)}
    log.step(taken.step, {**values, **taken.figures})


def _summed_loss(
    task: SummedTask,
    model: nn.Module,
    step: _Step,
    accelerator: Accelerator,
    settings: TrainingSettings,
) -> Tensor:
    """Leave the gradient of the mean over all examples in the parameters; return the mean."""
    whole = torch.zeros((), device=accelerator.device)
    for i, (batch, counts) in enumerate(step.batches):
        last = i == len(step.batches) - 1
        shape = tuple(batch["ids"].shape)
        try:
            # Processes share gradients in the last backward pass, which sums up all before it.
            with nullcontext() if last else accelerator.no_sync(model):
                moved = {n: t.to(accelerator.device, non_blocking=True) for n, t in batch.items()}
                with accelerator.autocast():
                    loss = task.loss(model, moved) / step.examples * float(counts)
                # Gradients are averaged over processes; the sum is wanted.
                accelerator.backward(loss * accelerator.num_processes)
        except torch.OutOfMemoryError as error:
            raise out_of_memory(shape, settings) from error
        whole += loss.detach()
    summed: Tensor = accelerator.reduce(whole, "sum")
    return summed


def out_of_memory(shape: tuple[int, ...], settings: TrainingSettings) -> DataError:
    """Say what did not fit, and what to try."""
    less = [f"--max-tokens {max(settings.max_tokens // 2, 64)}"]
    if settings.precision == "fp32":
        less.append("--precision bf16")
    if not settings.checkpoint_gradients:
        less.append("--checkpoint-gradients")
    size = " x ".join(map(str, shape))
    return DataError(
        f"out of memory on a micro-batch of {size} tokens: add {', or '.join(less)}; "
        "then --resume goes on from the last checkpoint"
    )


def _average(
    model: nn.Module, settings: TrainingSettings, accelerator: Accelerator
) -> WeightAverage | None:
    if not settings.average:
        return None
    if accelerator.distributed_type == DistributedType.FSDP:
        raise DataError("--average needs whole weights in each process: leave it out with FSDP")
    average = WeightAverage(model, settings.average)
    accelerator.register_for_checkpointing(average)
    return average


def _optimizer(
    task: AnyTask, settings: TrainingSettings, *, fused: bool
) -> tuple[list[float], torch.optim.Optimizer]:
    """Return AdamW and the peak rate of each of its groups.

    Matrices decay, vectors do not; untrained parts may learn faster. `fused` takes its
    step in few kernels, for a GPU.
    """
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for name, parameter in task.model.named_parameters():
        if parameter.requires_grad:
            of = task.rate_factor if isinstance(task, RatedTask) else rate_by_name
            factor = of(name, settings.fresh_factor)
            groups.setdefault((factor, parameter.ndim > 1), []).append(parameter)
    described: list[dict[str, Any]] = [
        {
            "params": parameters,
            "lr": settings.learning_rate * factor,
            "weight_decay": settings.weight_decay if decays else 0.0,
        }
        for (factor, decays), parameters in groups.items()
    ]
    optimizer = torch.optim.AdamW(described, fused=fused or None)
    return [float(g["lr"]) for g in described], optimizer


def _judged(progress: Progress, metric: float) -> Progress:
    if progress.best is None or metric > progress.best:
        return msgspec.structs.replace(progress, best=metric, best_step=progress.step, since_best=0)
    return msgspec.structs.replace(progress, since_best=progress.since_best + 1)


def _stop(progress: Progress, settings: TrainingSettings) -> bool:
    return bool(settings.patience) and progress.since_best >= settings.patience


def _keep(task: Task, model: nn.Module, accelerator: Accelerator, folder: Path) -> None:
    state = accelerator.get_state_dict(model)
    if accelerator.is_main_process:
        with atomic_folder(folder, replace=True) as part:
            task.save(state, part)
    accelerator.wait_for_everyone()
