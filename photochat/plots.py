"""Pictures of what a release holds, as PNG and SVG."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from photochat.atomic import atomic_file
from photochat.statistics import MADE, TOTAL, SplitStatistics
from photochat.themes import THEMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN_LABELS = 30
_COLORS = {"train": "#4269d0", "dev": "#efb118", "test": "#ff725c", "unsplit": "#6cc5b0"}
_PALER = {"train": "#a9bbea", "dev": "#f8dc92", "test": "#ffbfb4", "unsplit": "#bde5da"}
COLORS = _COLORS | {MADE.format(name): color for name, color in _PALER.items()}


def write_plots(parts: Mapping[str, SplitStatistics], folder: str | Path) -> list[Path]:
    """Draw turns before the share, tokens, themes and labels; return the files written.

    Raises:
        DataError: `folder` cannot be written.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib.figure import Figure

    totals = (TOTAL, MADE.format(TOTAL))
    splits = {name: part for name, part in parts.items() if name not in totals and part.dialogues}
    drawings: dict[str, Callable[[Axes], None]] = {
        "turns_before_share": lambda axes: _histogram(
            axes,
            {name: part.shares_by_position for name, part in splits.items()},
            "turns before the photo",
        ),
        "tokens": lambda axes: _histogram(
            axes,
            {name: part.tokens_by_dialogue for name, part in splits.items()},
            "tokens per dialogue",
            bin_width=10,
        ),
        "themes": lambda axes: _themes(axes, splits),
        "labels": lambda axes: _labels(axes, splits),
    }
    written = []
    for name, draw in drawings.items():
        figure = Figure(figsize=(8, 7 if name == "labels" else 4), layout="constrained")
        axes = figure.add_subplot()
        draw(axes)
        axes.spines[["top", "right"]].set_visible(False)
        for suffix in (".png", ".svg"):
            target = Path(folder) / f"{name}{suffix}"
            # No date and a fixed salt: the same data gives the same file.
            metadata = {"Date": None} if suffix == ".svg" else None
            with mpl.rc_context({"svg.hashsalt": name}), atomic_file(target) as part:
                figure.savefig(part, format=suffix[1:], dpi=150, metadata=metadata)
            written.append(target)
    return written


def _histogram(
    axes: Axes, counts: Mapping[str, Mapping[int, int]], label: str, bin_width: int = 1
) -> None:
    """Draw the share of dialogues per value, a step line a split, so that sizes compare."""
    top = max((value for part in counts.values() for value in part), default=0)
    edges = [start - 0.5 for start in range(0, top + 2 * bin_width, bin_width)]
    for name, part in counts.items():
        total = sum(part.values())
        if total:
            axes.hist(
                list(part),
                bins=edges,
                weights=[100 * times / total for times in part.values()],
                histtype="step",
                linewidth=1.8,
                color=COLORS[name],
                label=f"{name} ({total:,})",
            )
    axes.set_xlabel(label)
    axes.set_ylabel("% of dialogues")
    if any(counts.values()):
        axes.legend(frameon=False)


def _themes(axes: Axes, splits: Mapping[str, SplitStatistics]) -> None:
    width = 0.8 / max(len(splits), 1)
    for place, (name, part) in enumerate(splits.items()):
        bars = axes.bar(
            [i + (place - (len(splits) - 1) / 2) * width for i in range(len(THEMES))],
            [100 * part.themes[theme] / part.dialogues for theme in THEMES],
            width,
            color=COLORS[name],
            label=name,
        )
        axes.bar_label(bars, [part.themes[theme] for theme in THEMES], fontsize=8)
    axes.set_xticks(range(len(THEMES)), THEMES)
    axes.set_ylabel("% of dialogues")
    if splits:
        axes.legend(frameon=False)


def _labels(axes: Axes, splits: Mapping[str, SplitStatistics]) -> None:
    totals: dict[str, int] = {}
    for part in splits.values():
        for label, times in part.labels.items():
            totals[label] = totals.get(label, 0) + times
    shown = sorted(totals, key=lambda label: (-totals[label], label))[:SHOWN_LABELS][::-1]
    # Matplotlib reads a dollar sign as the start of a formula.
    names = [label.replace("$", r"\$") for label in shown]
    left = [0] * len(shown)
    for name, part in splits.items():
        values = [part.labels.get(label, 0) for label in shown]
        axes.barh(range(len(shown)), values, left=left, color=COLORS[name], label=name)
        left = [total + value for total, value in zip(left, values, strict=True)]
    axes.set_yticks(range(len(shown)), names, fontsize=8)
    axes.set_xlabel(f"dialogues with the label (the {len(shown)} most frequent)")
    if splits:
        axes.legend(frameon=False)
