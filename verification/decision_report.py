"""The report of a decision: one HTML file without scripts, that opens anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from verification.agreement import Estimate
from verification.decide import Decision
from verification.votes import REASONS

if TYPE_CHECKING:
    from verification.outcome import Result

SHOWN_DOUBTS = 20  # dialogues that the report lists as the most doubtful
STANDARDS = (
    (0.8, "high"),
    (0.667, "fair"),
)  # Krippendorff's: conclusions from 0.8, tentative 0.667


def write_report(path: Path, result: Result, decisions: Sequence[Decision]) -> None:
    """Write the report."""
    environment = Environment(
        loader=PackageLoader("verification", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["share"] = _share
    environment.filters["interval"] = interval
    environment.filters["number"] = lambda value: f"{value:,}"
    doubtful = sorted(
        (d for d in decisions if d.outcome == "again" and d.confidence is not None),
        key=lambda d: d.confidence or 0.0,
    )
    page = environment.get_template("decision.html.j2").render(
        result=result,
        known={known.reviewer: known for known in result.known},
        doubtful=doubtful[:SHOWN_DOUBTS],
        doubts=len(doubtful),
        reason_names=REASONS,
        standing=_standing(result.agreement.alpha),
        points=_points,
    )
    path.write_text(page, encoding="utf-8")


def interval(estimate: Estimate, percent: bool = False) -> str:
    """Print an estimate with its interval: "0.81 (0.77 to 0.85)".

    >>> interval(Estimate(0.5, 0.25, 0.75), percent=True)
    '50% (25% to 75%)'
    """
    if estimate.value is None:
        return "–"
    show = _share if percent else "{:.2f}".format
    if estimate.low is None or estimate.high is None:
        return show(estimate.value)
    return f"{show(estimate.value)} ({show(estimate.low)} to {show(estimate.high)})"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f}%"


def _standing(alpha: Estimate) -> str:
    """Say what an alpha of this size allows, by the lower end of its interval."""
    if alpha.low is None:
        return "unknown"
    return next((name for least, name in STANDARDS if alpha.low >= least), "low")


def _points(estimate: Estimate, known: float | None, width: int = 160) -> dict[str, float] | None:
    """Return where an interval bar from 0.5 to 1 stands, in pixels."""
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return None

    def x(value: float) -> float:
        return round((max(value, 0.5) - 0.5) / 0.5 * width, 1)

    places = {"low": x(estimate.low), "high": x(estimate.high), "value": x(estimate.value)}
    return places | ({"known": x(known)} if known is not None else {})
