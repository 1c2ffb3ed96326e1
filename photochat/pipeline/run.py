"""Run the stages one after the other, each if it has to; stopped, the next run goes on."""

from __future__ import annotations

import fcntl
import itertools
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from photochat.atomic import atomic_file
from photochat.errors import DataError
from photochat.pipeline.digest import MISSING, content_of, toolkit_of
from photochat.pipeline.plan import Step, cut, why
from photochat.pipeline.settings import Settings
from photochat.pipeline.stages import Places, Stage, chain
from photochat.pipeline.state import Basis, Finished, read_state, write_state

LOCK_FILE = ".pipeline.lock"
# What a stage begins on while what it left is removed: nothing can go on from there.
CLEARING = Basis((), "", {})
# Runs a command and returns its status and what it printed.
Execute = Callable[[Sequence[str]], tuple[int, str]]


class Pipeline:
    """A pipeline file's stages in the folder it lies in, and what is finished of them."""

    def __init__(self, settings: Settings, base: Path) -> None:
        self.settings = settings
        self.places = Places(settings, base, base)
        self.out = self.places.out
        self.stages = chain(settings, base, base)
        _keep_apart(self.stages)
        # The same from the file's own folder: what is remembered names no place of this machine.
        self._named = dict(zip(self.stages, chain(settings, Path(), base), strict=True))
        self.state = read_state(self.out)

    def plan(self, first: str | None = None, last: str | None = None) -> list[Step]:
        """Say what a run would do; `first` runs anyhow and `last` is the last one.

        Raises:
            DataError: there is no such stage.
        """
        begin, end = cut(self.stages, first, last)
        steps: list[Step] = []
        changing: dict[Path, str] = {}  # outputs of stages that would run
        for number, stage in enumerate(self.stages[:end]):
            reason, perhaps = self._why(stage), False
            if number >= begin:
                reason = "asked for by --from"
            for path in stage.inputs:
                if path in changing and reason in ("", f"{self._name(stage, path)} has changed"):
                    reason, perhaps = f"after {changing[path]}", True
            if reason:
                changing |= dict.fromkeys((*stage.outputs, *stage.leftovers), stage.name)
            steps.append(Step(stage, reason, perhaps))
        return steps

    def run(
        self,
        execute: Execute,
        *,
        first: str | None = None,
        last: str | None = None,
        say: Callable[[Stage, str], None],
    ) -> list[str]:
        """Run what has to be run; return the names of the stages that did.

        `say` is told of each stage before it runs, and why it does; "" means that it is skipped.
        What stands where a stage writes and is not what it wrote there gets another name first.

        Raises:
            DataError: a stage failed, an input is missing, or another run is at work here.
        """
        begin, end = cut(self.stages, first, last)
        done = []
        with _alone(self.out):
            self.state = read_state(self.out)
            for number, stage in enumerate(self.stages[:end]):
                reason = "asked for by --from" if number >= begin else self._why(stage)
                if not reason:
                    say(stage, "")
                    continue
                basis = self._readable_basis(stage)
                say(stage, "; ".join((reason, *self._set_aside(stage))))
                self._run(stage, basis, execute)
                done.append(stage.name)
            write_state(self.out, self.state)
        return done

    def _readable_basis(self, stage: Stage) -> Basis:
        basis = self._basis(stage)
        for name, content in basis.inputs.items():
            if content == MISSING:
                raise DataError(f"is missing, and the stage {stage.name} reads it", file=name)
        return basis

    def _set_aside(self, stage: Stage) -> list[str]:
        """Rename what is not the stage's own among what it would remove; say what and how."""
        found = [path for path in stage.leftovers if not self._is_own(stage, path)]
        return [f"{self._name(stage, path)} is kept as {_rename(path).name}" for path in found]

    def _is_own(self, stage: Stage, path: Path) -> bool:
        if stage.name in self.state.begun or not os.path.lexists(path):
            return True
        finished = self.state.finished.get(stage.name)
        return finished is not None and all(
            self._content(stage, output)
            in (MISSING, finished.outputs.get(self._name(stage, output)))
            for output in stage.outputs
            if output == path or path in output.parents
        )

    def _run(self, stage: Stage, basis: Basis, execute: Execute) -> None:
        goes_on = (
            stage.resume is not None
            and self.state.begun.get(stage.name) == basis
            and stage.outputs[0].exists()
        )
        if not goes_on:
            self._forget(stage)
            for path in stage.leftovers:
                _remove(path)
            self.state.begun[stage.name] = basis
            write_state(self.out, self.state)
        words = (*stage.words, *(stage.resume or ())) if goes_on else stage.words
        start = time.monotonic()
        status, printed = execute(words)
        if status and not (stage.findings and status == 1):
            raise DataError(
                f"the stage {stage.name} ended with status {status}; mend it and run again"
            )
        if stage.answer is not None:
            with atomic_file(stage.answer) as part:
                part.write_text(printed, encoding="utf-8")
        self.state.finished[stage.name] = Finished(
            basis, self._outputs(stage), round(time.monotonic() - start, 3), round(time.time(), 3)
        )
        del self.state.begun[stage.name]
        write_state(self.out, self.state)

    def _forget(self, stage: Stage) -> None:
        """Know a stage as begun alone before its files are removed, whenever that is cut short."""
        self.state.finished.pop(stage.name, None)
        self.state.begun[stage.name] = CLEARING
        write_state(self.out, self.state)

    def _why(self, stage: Stage) -> str:
        finished = self.state.finished.get(stage.name)
        if stage.always and finished:
            return "what it reads may have changed"
        return why(finished, self._basis(stage), self._outputs(stage))

    def _basis(self, stage: Stage) -> Basis:
        inputs = {self._name(stage, path): self._content(stage, path) for path in stage.inputs}
        return Basis(self._named[stage].words, toolkit_of(stage.package), inputs)

    def _outputs(self, stage: Stage) -> dict[str, str]:
        paths = (*stage.outputs, *([stage.answer] if stage.answer else []))
        return {self._name(stage, path): self._content(stage, path) for path in paths}

    def _content(self, stage: Stage, path: Path) -> str:
        return content_of(path, self.state.seen, self._name(stage, path))

    def _name(self, stage: Stage, path: Path) -> str:
        named = self._named[stage]
        mine = (*stage.inputs, *stage.outputs, *stage.leftovers, stage.answer)
        names = (*named.inputs, *named.outputs, *named.leftovers, named.answer)
        return str(names[mine.index(path)])


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Be the only run in a folder; the lock goes with the process, however it ends."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock = (out / LOCK_FILE).open("w")
    except OSError as error:
        raise DataError(f"cannot be written ({error.strerror or error})", file=out) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DataError("another run is at work here: wait for it", file=out) from error
        yield


def _keep_apart(stages: Sequence[Stage]) -> None:
    """Refuse an input that a stage would remove, unless that stage makes it for a later one."""
    for place, stage in enumerate(stages):
        for path in stage.inputs:
            for number, other in enumerate(stages):
                made = number < place and path in other.outputs
                if not made and any(_is_in(path, left) for left in other.leftovers):
                    raise DataError(
                        f"is removed before the stage {other.name} runs, and the stage "
                        f"{stage.name} reads it: let it lie elsewhere",
                        file=path,
                    )


def _is_in(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


def _rename(path: Path) -> Path:
    """Give a file or folder a name beside it that nothing has, and return that."""
    names = (path.with_name(f"{path.name}.old-{number}") for number in itertools.count(1))
    kept = next(name for name in names if not os.path.lexists(name))
    try:
        return path.rename(kept)
    except OSError as error:
        raise DataError(f"cannot be renamed ({error.strerror or error})", file=path) from error


def _remove(path: Path) -> None:
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(f"cannot be removed ({error.strerror or error})", file=path) from error
