"""HTML for reading: how a run learnt, what it reaches, where it errs; a strip for one dialogue."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modeling.examples import IntentExamples
from modeling.intent.metrics import Floats
from modeling.intent.predict import Prediction, TurnPrediction
from modeling.pages import flat_settings, learning_curves, write_page
from modeling.training.log import read_log

if TYPE_CHECKING:
    from modeling.intent.evaluate import IntentEvaluation

PACKAGE = "modeling.intent"
SHOWN_ERRORS = 10  # of each sort
SHOWN_DEV = ("f1", "f1@dev", "average_precision")


def write_strip(file: Path, predictions: Sequence[Prediction], title: str) -> None:
    """Write dialogues with a bar of probability after each turn, as the paper's Figure 4 shows.

    Raises:
        DataError: the file cannot be written.
    """
    write_page(file, PACKAGE, "strip.html.j2", title=title, predictions=predictions)


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
    write_page(
        file,
        PACKAGE,
        "report.html.j2",
        title=f"{folder.name}: {result.split}",
        result=result,
        settings=flat_settings(result.run.settings),
        curves=learning_curves(read_log(folder), SHOWN_DEV),
        alarms=_worst(predictions, lambda turn: -1.0 if turn.shared else turn.probability),
        missed=_worst(predictions, lambda turn: 1 - turn.probability if turn.shared else -1.0),
    )


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
