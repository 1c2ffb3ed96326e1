"""Training Int-RA: from a folder of sticker conversations to a run folder.

RUN/settings.json, RUN/log.jsonl, RUN/model (its text and vision models loadable with
`from_pretrained`), RUN/checkpoints.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from modeling.runs import MODEL, claim, write_run
from modeling.stickers.examples import (
    Gallery,
    StickerExamples,
    gallery_of,
    sticker_examples,
    sticker_pixels,
)
from modeling.stickers.learning import StickersTask
from modeling.stickers.network import build_network
from modeling.stickers.runs import Learnt, StickerRun
from modeling.stickers.settings import IntRASettings
from modeling.training.device import open_accelerator
from modeling.training.loop import train
from modeling.training.settings import Device
from photochat.errors import DataError
from photochat.stickers import StickerData


def train_stickers(
    data: StickerData,
    settings: IntRASettings,
    folder: Path,
    *,
    device: Device = "auto",
    resume: bool = False,
    tensorboard: bool = False,
) -> StickerRun:
    """Train on the train split, keep the model of the best mAP on valid, leave a run in `folder`.

    With `resume`, go on where an interrupted run of the same settings and data stopped.

    Raises:
        DataError: the data lacks a split, knowledge or descriptions, or has one intention alone; a
            picture or a model cannot be had; the folder holds another run; training failed.
    """
    gallery = gallery_of(data, attributes=settings.attributes)
    own = sticker_examples(data, "train", knowledge=settings.knowledge, limit=settings.limit)
    valid = sticker_examples(data, "valid", knowledge=settings.knowledge)
    _see_that_it_can_be_learnt(data, own, settings)
    start = StickerRun(settings=settings, train_hash=own.fingerprint, dev_hash=valid.fingerprint)
    if os.environ.get("RANK", "0") == "0":  # one of several processes under a launcher
        claim(folder, start, resume)
    accelerator = open_accelerator(device, settings.training.precision)
    with accelerator.main_process_first():  # the others find the models on disk
        network = build_network(settings, _words(own, gallery, settings))
    pixels = sticker_pixels(gallery.stickers, network.module.vision.side)
    task = StickersTask(network, gallery, pixels, own, valid)
    outcome = train(
        task, settings.training, folder, device=device, resume=resume, tensorboard=tensorboard
    )
    kept = build_network(settings, weights=folder / MODEL)
    accelerator = open_accelerator(device, settings.training.precision)
    judge = StickersTask(kept, gallery, pixels, own, valid)
    run = StickerRun(
        settings=settings,
        train_hash=own.fingerprint,
        dev_hash=valid.fingerprint,
        chosen=Learnt(
            valid=judge.evaluate(kept.module, accelerator),
            conversations={"train": len(own), "valid": len(valid)},
            stickers=len(gallery.stickers),
            without={
                "conversations without knowledge": own.without_knowledge + valid.without_knowledge,
                "stickers without description": gallery.without_description,
            },
            training={
                "steps": outcome.progress.step,
                "best_step": outcome.progress.best_step,
                "stopped_early": float(outcome.stopped_early),
                "tokens_per_second": outcome.tokens_per_second,
                "waiting": outcome.waiting,
                "parameters": float(sum(p.numel() for p in network.module.parameters())),
            },
        ),
    )
    if accelerator.is_main_process:
        write_run(folder, run)
    return run


def _see_that_it_can_be_learnt(
    data: StickerData, own: StickerExamples, settings: IntRASettings
) -> None:
    tags = Counter(one.intention for one in own.conversations)
    if settings.intention and len(tags) < 2:
        raise DataError(
            f"all conversations in train have the intention {next(iter(tags))}: there is nothing "
            "to predict; train --without intention",
            file=data.folder,
        )
    if len(set(own.gold)) < 2:
        raise DataError("all conversations in train have the same sticker", file=data.folder)


def _words(own: StickerExamples, gallery: Gallery, settings: IntRASettings) -> list[str]:
    """Return the texts of which a text model from scratch takes its words."""
    texts = [turn.text for one in own.conversations for turn in one.turns]
    texts += [text for known in own.knowledge for text in known]
    texts += [text for four in gallery.descriptions for text in four]
    return [*texts, *settings.intentions]
