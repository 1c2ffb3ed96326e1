"""What a trained run says after each turn of any dialogue."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from modeling.examples import IntentExamples, talk_so_far
from modeling.intent.metrics import Floats
from modeling.intent.runs import finished
from modeling.intent.settings import TFIDF, IntentSettings
from modeling.intent.tfidf import load_tfidf
from modeling.runs import MODEL
from modeling.training.settings import Device
from photochat.dialogue import Dialogue


class TurnPrediction(msgspec.Struct, frozen=True):
    """The probability that a photo comes after this turn, and whether it did, where known."""

    user_id: int
    text: str
    probability: float
    shared: bool | None


class Prediction(msgspec.Struct, frozen=True):
    """One dialogue's turns up to its photo; `threshold` is the one chosen on dev."""

    dialogue_id: int
    threshold: float
    turns: tuple[TurnPrediction, ...]


def predict(
    folder: Path, dialogues: Sequence[Dialogue], *, device: Device = "auto"
) -> list[Prediction]:
    """Return a run's predictions for each dialogue, before its photo if it has one.

    Raises:
        DataError: the folder holds no finished run, or its model cannot be loaded.
    """
    run, chosen = finished(folder)
    talks = [
        talk_so_far(dialogue, run.settings.construction, hide_roles=run.settings.hide_roles)
        for dialogue in dialogues
    ]
    examples = IntentExamples(tuple(talks), {})
    probabilities = iter(probabilities_of(folder, run.settings, examples, device).tolist())
    return [
        Prediction(
            talk.dialogue_id,
            chosen.threshold,
            tuple(
                TurnPrediction(
                    turn.user_id,
                    turn.text,
                    next(probabilities),
                    bool(label) if talk.shared else None,
                )
                for turn, label in zip(talk.turns, talk.labels, strict=True)
            ),
        )
        for talk in talks
    ]


def probabilities_of(
    folder: Path, settings: IntentSettings, examples: IntentExamples, device: Device
) -> Floats:
    """Return the probabilities that the run in `folder` gives, (examples,).

    Raises:
        DataError: its model cannot be loaded, or the device is not there.
    """
    if settings.kind == TFIDF:
        return load_tfidf(folder / MODEL).probabilities(examples)
    from modeling.intent.network import build_network, share_probabilities
    from modeling.training.device import open_accelerator

    accelerator = open_accelerator(device, settings.training.precision)
    network = build_network(settings, weights=folder / MODEL)
    return share_probabilities(network, network.rows(examples), len(examples), accelerator)
