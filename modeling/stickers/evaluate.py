"""A run measured on a split: metrics with intervals, chance beside them, the curve, examples.

RUN/metrics.json keeps what was measured on each split, RUN/report.html is for reading.
"""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import msgspec

from modeling.metrics import Estimate
from modeling.runs import MODEL, add_metrics
from modeling.stickers.examples import gallery_of, sticker_examples, sticker_pixels
from modeling.stickers.measures import (
    RECALL_LEVELS,
    TagRow,
    by_chance,
    by_intention,
    precision_recall,
    right_ranks,
    sticker_metrics,
)
from modeling.stickers.network import build_network
from modeling.stickers.represent import scored
from modeling.stickers.runs import StickerRun, finished
from modeling.training.device import open_accelerator
from modeling.training.settings import Device
from photochat.stickers import read_stickers

REPORT = "report.html"
_VERSIONS = ("torch", "transformers", "accelerate", "numpy")


class CurvePoint(msgspec.Struct, frozen=True):
    """Interpolated precision, in percent, at a recall from 0 to 1."""

    recall: float
    precision: float


class StickerEvaluation(msgspec.Struct, frozen=True, kw_only=True):
    """What a run reaches on a split, in percent, and what it was measured on."""

    split: str
    conversations: int
    stickers: int
    without_knowledge: int
    without_description: int
    metrics: dict[str, Estimate]
    chance: dict[str, float]
    curve: list[CurvePoint]
    by_intention: list[TagRow]
    data_hash: str
    run: StickerRun
    versions: dict[str, str]


def evaluate_stickers(
    folder: Path,
    run_folder: Path,
    split: str = "test",
    *,
    device: Device = "auto",
    resamples: int = 1000,
    seed: int = 0,
) -> StickerEvaluation:
    """Measure the run in `run_folder` on a split of the data in `folder`; write what is found.

    Raises:
        DataError: no such split; no finished run of stickers; a picture cannot be had.
    """
    run, _ = finished(run_folder)
    settings = run.settings
    data = read_stickers(folder, intentions=settings.intentions)
    gallery = gallery_of(data, attributes=settings.attributes)
    examples = sticker_examples(data, split, knowledge=settings.knowledge)
    accelerator = open_accelerator(device, settings.training.precision)
    network = build_network(settings, weights=run_folder / MODEL)
    pixels = sticker_pixels(gallery.stickers, network.module.vision.side)
    found = scored(network, gallery, pixels, examples, accelerator)
    curve = precision_recall(right_ranks(found, examples, gallery))
    result = StickerEvaluation(
        split=split,
        conversations=len(examples),
        stickers=len(gallery.stickers),
        without_knowledge=examples.without_knowledge,
        without_description=gallery.without_description,
        metrics=sticker_metrics(found, examples, gallery, resamples=resamples, seed=seed),
        chance=by_chance(examples, gallery),
        curve=[CurvePoint(r, p) for r, p in zip(RECALL_LEVELS, curve, strict=True)],
        by_intention=by_intention(found, examples, gallery),
        data_hash=examples.fingerprint,
        run=run,
        versions={name: importlib.metadata.version(name) for name in _VERSIONS},
    )
    add_metrics(run_folder, result)
    from modeling.stickers.report import write_report

    write_report(run_folder / REPORT, result, examples, gallery, found, run_folder)
    return result
