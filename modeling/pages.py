"""HTML pages about runs: written whole from a template, with curves and settings to read."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from photochat.atomic import atomic_file


def write_page(file: Path, package: str, template: str, **values: Any) -> None:
    """Write a page from a template of a package, every value escaped.

    Raises:
        DataError: the file cannot be written.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(package, "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    with atomic_file(file) as part:
        part.write_text(environment.get_template(template).render(**values))


def flat_settings(settings: Any) -> dict[str, Any]:
    """Return the fields of a struct, and of the structs in it, by name."""
    flat: dict[str, Any] = {}
    for name in settings.__struct_fields__:
        value = getattr(settings, name)
        flat |= flat_settings(value) if hasattr(value, "__struct_fields__") else {name: value}
    return flat


def learning_curves(log: Sequence[dict[str, float]], metrics: Sequence[str]) -> str:
    """Draw loss and dev metrics of a run's log over steps as SVG; nothing without steps."""
    losses = [(line["step"], line["loss"]) for line in log if "loss" in line]
    if not losses:
        return ""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3), layout="constrained")
    left, right = figure.subplots(1, 2)
    steps, values = np.array(losses).T
    width = max(len(values) // 20, 1)
    smooth = np.convolve(values, np.ones(width) / width, mode="valid")
    left.plot(steps, values, color="#bbbbbb", linewidth=0.8)
    left.plot(steps[width - 1 :], smooth, color="#4269d0")
    left.set(title="training loss", xlabel="step")
    for name in metrics:
        points = [(e["step"], e[f"dev_{name}"]) for e in log if f"dev_{name}" in e]
        if points:
            right.plot(*np.array(points).T, marker="o", label=name)
    right.set(title="dev, %", xlabel="step")
    if right.lines:
        right.legend(frameon=False)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "curves"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue().partition("<svg")[1] + buffer.getvalue().partition("<svg")[2]
