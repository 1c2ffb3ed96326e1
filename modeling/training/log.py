"""What a run says while it goes: a line of JSON a step, TensorBoard where asked, a bar."""

from __future__ import annotations

import importlib.util
import json
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from photochat.atomic import atomic_file
from photochat.errors import DataError

LOG = "log.jsonl"


class RunLog:
    """Writes `log.jsonl` under `folder`; says nothing in processes that are not the main one.

    A resumed run drops the lines of steps that it will do again, so the file tells one run.
    """

    def __init__(
        self, folder: Path, total: int, *, start: int = 0, tensorboard: bool = False, active: bool
    ) -> None:
        self._file = None
        self._board: Any = None
        self._bar = Progress(
            TextColumn("{task.completed}/{task.total} steps"),
            BarColumn(),
            TextColumn("{task.description}"),
            TimeRemainingColumn(compact=True),
            console=Console(stderr=True),
            disable=not active,
        )
        if active:
            if tensorboard:
                self._board = _open_board(folder / "tensorboard")
            _keep_until(folder / LOG, start)
            self._file = (folder / LOG).open("a")
        self._task = self._bar.add_task("", total=total, completed=start)

    def __enter__(self) -> RunLog:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
        if self._file:
            self._file.close()
        if self._board:
            self._board.close()

    def step(self, step: int, values: dict[str, float]) -> None:
        """Record one step and move the bar."""
        self._write({"step": step, **values})
        shown = f"loss {values['loss']:.4f}  {values['tokens_per_second']:,.0f} tokens/s"
        self._bar.update(self._task, completed=step, description=shown)

    def evaluation(self, step: int, metrics: dict[str, float]) -> None:
        """Record what the dev split said."""
        self._write({"step": step, **{f"dev_{name}": value for name, value in metrics.items()}})
        if self._file:
            numbers = "  ".join(f"{name} {value:.4g}" for name, value in metrics.items())
            self._bar.console.print(f"step {step}: dev {numbers}", highlight=False)

    def _write(self, values: dict[str, float]) -> None:
        if self._file:
            self._file.write(json.dumps(values) + "\n")
            self._file.flush()
        if self._board:
            for name, value in values.items():
                if name != "step":
                    self._board.add_scalar(name, value, int(values["step"]), walltime=time.time())


def read_log(folder: Path) -> list[dict[str, float]]:
    """Return the lines of a run's log; none where there is no log."""
    file = folder / LOG
    if not file.exists():
        return []
    lines: list[dict[str, float]] = []
    for line in file.read_text().splitlines():
        try:
            lines.append(json.loads(line))
        except (ValueError, RecursionError):
            break  # a process that was killed while writing leaves half a line, the last
    return lines


def _keep_until(file: Path, step: int) -> None:
    if file.exists():
        kept = [line for line in read_log(file.parent) if line["step"] <= step]
        with atomic_file(file) as part:
            part.write_text("".join(json.dumps(line) + "\n" for line in kept))


def _open_board(folder: Path) -> Any:
    if importlib.util.find_spec("tensorboard") is None:
        raise DataError("--tensorboard needs the package tensorboard: pip install tensorboard")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # it looks for TensorFlow, and says so
    from torch.utils.tensorboard.writer import SummaryWriter

    return SummaryWriter(str(folder))
