"""HTML for reading: how a run learnt, what it reaches, where it errs; a strip for one dialogue."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
import numpy as np

from modeling.examples import IntentExamples
from modeling.intent.metrics import Floats
from modeling.intent.predict import Prediction, TurnPrediction
from modeling.training.log import read_log
from photochat.atomic import atomic_file

if TYPE_CHECKING:
    from modeling.intent.evaluate import IntentEvaluation

SHOWN_ERRORS = 10  # of each sort
SHOWN_DEV = ("f1", "f1@dev", "average_precision")


def write_strip(file: Path, predictions: Sequence[Prediction], title: str) -> None:
    """Write dialogues with a bar of probability after each turn, as the paper's Figure 4 shows.

    Raises:
        DataError: the file cannot be written.
    """
    _write(file, "strip.html.j2", title=title, predictions=predictions)


def write_report(
    file: Path,
    result: IntentEvaluation,
    examples: IntentExamples,
    probabilities: Floats,
    folder: Path,
) -> None:
    """Write the report of one evaluation.

    Raises:
        DataError: the file cannot be written.
    """
    predictions = _as_predictions(examples, probabilities, result.threshold)
    _write(
        file,
        "report.html.j2",
        title=f"{folder.name}: {result.split}",
        result=result,
        settings=_flat(result.run.settings),
        curves=_curves(read_log(folder)),
        alarms=_worst(predictions, lambda turn: -1.0 if turn.shared else turn.probability),
        missed=_worst(predictions, lambda turn: 1 - turn.probability if turn.shared else -1.0),
    )


def _write(file: Path, template: str, **values: Any) -> None:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("modeling.intent", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    with atomic_file(file) as part:
        part.write_text(environment.get_template(template).render(**values))


def _as_predictions(
    examples: IntentExamples, probabilities: Floats, threshold: float
) -> list[Prediction]:
    given = iter(probabilities.tolist())
    return [
        Prediction(
            talk.dialogue_id,
            threshold,
            tuple(
                TurnPrediction(turn.user_id, turn.text, next(given), bool(label))
                for turn, label in zip(talk.turns, talk.labels, strict=True)
            ),
        )
        for talk in examples.talks
    ]


def _worst(predictions: Sequence[Prediction], badness: Any) -> list[Prediction]:
    """Return the dialogues whose worst turn is worst of all."""
    scored = [
        (max((badness(turn) for turn in p.turns), default=-1.0), i)
        for i, p in enumerate(predictions)
    ]
    scored.sort(key=lambda pair: (-pair[0], pair[1]))
    return [predictions[i] for score, i in scored[:SHOWN_ERRORS] if score > 0]


def _flat(settings: Any) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name in settings.__struct_fields__:
        value = getattr(settings, name)
        flat |= _flat(value) if hasattr(value, "__struct_fields__") else {name: value}
    return flat


def _curves(log: Sequence[dict[str, float]]) -> str:
    """Draw loss and dev metrics over steps as SVG; nothing for a run without steps."""
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
    for name in SHOWN_DEV:
        points = [(e["step"], e[f"dev_{name}"]) for e in log if f"dev_{name}" in e]
        if points:
            right.plot(*np.array(points).T, marker="o", label=name)
    right.set(title="dev, %", xlabel="step")
    right.legend(frameon=False)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "curves"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue().partition("<svg")[1] + buffer.getvalue().partition("<svg")[2]
