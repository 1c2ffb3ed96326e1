"""Draw docs/benchmarks.svg: how far each measured claim is from its limit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

FARTHEST = 30.0  # times the limit; what is beyond it is drawn there
HOLDS, MISSED = "#2a6f97", "#c1121f"


def margin(claim: Mapping[str, Any]) -> float | None:
    """Return how many times better than its limit a claim is: 1 is on it, below is missed.

    None where the limit is 0, of which nothing is a multiple.
    """
    relation, _, text = str(claim["target"]).partition(" ")
    limit, measured = float(text), float(claim["measured"])
    if limit == 0:
        return None
    if relation == ">=":
        return measured / limit
    return limit / measured if measured else FARTHEST


def draw(claims: Mapping[str, Sequence[Mapping[str, Any]]], out: Path) -> None:
    """Draw a line of dots for each benchmark, by name; what is missed is red."""
    figure = Figure(figsize=(10, 0.7 + 0.32 * len(claims)), layout="constrained")
    axes = figure.subplots()
    for row, found in enumerate(claims.values()):
        for claim in found:
            times = margin(claim)
            if times is None:
                continue
            place = min(FARTHEST, max(1 / FARTHEST, times))
            colour = HOLDS if claim["holds"] else MISSED
            axes.plot(place, row, "o", color=colour, alpha=0.6, markersize=7, markeredgewidth=0)
    axes.axvline(1, color="#444", linewidth=1)
    axes.set_xscale("log")
    axes.set_xlim(1 / FARTHEST / 1.2, FARTHEST * 1.2)
    axes.set_xticks(
        [1 / 10, 1 / 3, 1, 3, 10, 30], ["1/10", "1/3", "limit", "3", "10", "30 or more"]
    )
    axes.minorticks_off()
    axes.set_xlabel("times better than the limit")
    axes.set_yticks(range(len(claims)), list(claims))
    axes.set_ylim(len(claims) - 0.4, -0.8)
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    with mpl.rc_context({"svg.hashsalt": "benchmarks", "svg.fonttype": "none"}):
        figure.savefig(out, format="svg", metadata={"Date": None})
