"""What has to be done, and why: pure, given what the files hold now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from photochat.errors import DataError
from photochat.pipeline.digest import MISSING
from photochat.pipeline.stages import Stage
from photochat.pipeline.state import Basis, Finished

NOT_DONE = "not done yet"


class Step(msgspec.Struct, frozen=True):
    """A stage, and why it runs; `why` is empty if nothing has to be done.

    With `perhaps` that depends on what an earlier stage will write.
    """

    stage: Stage
    why: str
    perhaps: bool = False


def why(finished: Finished | None, basis: Basis, outputs: Mapping[str, str]) -> str:
    """Say why a stage has to run on a basis; "" if what it wrote before is what it would write.

    `outputs` is what stands now where it writes.
    """
    if finished is None:
        return NOT_DONE
    before = finished.basis
    if before.words != basis.words:
        return "its settings have changed"
    if before.toolkit != basis.toolkit:
        return "the toolkit has changed"
    for name in (*basis.inputs, *before.inputs):
        if basis.inputs.get(name) != before.inputs.get(name):
            return f"{name} has changed"
    for name, content in outputs.items():
        if content != finished.outputs.get(name):
            return f"{name} {'is gone' if content == MISSING else 'was changed by somebody else'}"
    return ""


def cut(stages: Sequence[Stage], first: str | None, last: str | None) -> tuple[int, int]:
    """Return the places of the first stage that must run anyhow, and behind the last that may.

    Raises:
        DataError: there is no stage of that name, or they are in the wrong order.
    """
    names = [stage.name for stage in stages]
    for option, name in (("--from", first), ("--until", last)):
        if name is not None and name not in names:
            raise DataError(f"no stage {name!r} here: {', '.join(names)}", field=option)
    begin = names.index(first) if first else len(names)
    end = names.index(last) + 1 if last else len(names)
    if first and begin >= end:
        raise DataError(f"comes after --until {last}", field="--from")
    return begin, end
