"""No command writes its result over what it reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from typer.core import TyperCommand

from photochat.errors import DataError

OUTPUTS = ("out", "report", "html", "sheet", "export", "trail")  # options that name what is written


class Command(TyperCommand):
    """A command that looks at its options before it begins."""

    def invoke(self, ctx: Any) -> Any:
        """Carry the command out, unless it would write over an input."""
        replace = bool(ctx.params.get("force"))
        for name in OUTPUTS:
            out = ctx.params.get(name)
            if isinstance(out, Path):
                keep_inputs(out, _paths(ctx.params, but=name), replace=replace, field=f"--{name}")
        return super().invoke(ctx)


def keep_inputs(
    out: Path, inputs: Iterable[Path], *, replace: bool, field: str | None = None
) -> None:
    """Refuse an output that is one of the inputs, or, where it is replaced, a folder around one.

    Raises:
        DataError: it would be written over what is read.
    """
    target = out.resolve()
    for path in inputs:
        source = path.resolve()
        if source == target:
            raise DataError("is an input too: name another place", file=out, field=field)
        if replace and target in source.parents and path.exists():
            raise DataError(f"holds the input {path}: name another folder", file=out, field=field)


def _paths(params: Mapping[str, Any], but: str) -> Iterable[Path]:
    for name, value in params.items():
        if name != but:
            several = value if isinstance(value, list | tuple) else [value]
            yield from (one for one in several if isinstance(one, Path))
