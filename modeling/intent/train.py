"""Training an intent model: from a release to a run folder.

RUN/settings.json, RUN/log.jsonl, RUN/model (loadable with `from_pretrained`), RUN/checkpoints, and
RUN/metrics.json with what the dev split said.
"""

from __future__ import annotations

import os
from pathlib import Path

from modeling.examples import intent_examples
from modeling.intent.baselines import after_turn
from modeling.intent.metrics import best_threshold, intent_metrics
from modeling.intent.runs import Chosen, RunFile
from modeling.intent.settings import TFIDF, IntentSettings
from modeling.intent.tfidf import fit_tfidf, save_tfidf
from modeling.runs import MODEL, claim, write_run
from modeling.training.settings import Device
from photochat.atomic import atomic_folder
from photochat.errors import DataError
from photochat.release import Release


def train_intent(
    release: Release,
    settings: IntentSettings,
    folder: Path,
    *,
    device: Device = "auto",
    resume: bool = False,
    tensorboard: bool = False,
) -> RunFile:
    """Train on the release's train split, choose on dev, and leave a run in `folder`.

    With `resume`, go on where an interrupted run of the same settings and data stopped.

    Raises:
        DataError: the release lacks a split or has no share in it; the model cannot be had; the
            folder holds another run; training failed.
    """
    train = intent_examples(
        release.split("train")[: settings.limit],
        settings.construction,
        hide_roles=settings.hide_roles,
    )
    dev = intent_examples(
        release.split("dev"), settings.construction, hide_roles=settings.hide_roles
    )
    for name, examples in (("train", train), ("dev", dev)):
        if len(set(examples.labels.tolist())) < 2:
            raise DataError(
                f"the split {name} needs turns with and without a photo after them",
                file=release.files[0].path.parent,
            )
    start = RunFile(settings=settings, train_hash=train.fingerprint, dev_hash=dev.fingerprint)
    if os.environ.get("RANK", "0") == "0":  # one of several processes under a launcher
        claim(folder, start, resume)
    if settings.kind == TFIDF:
        model = fit_tfidf(train)
        with atomic_folder(folder / MODEL, replace=True) as part:
            save_tfidf(model, part)
        probabilities, is_main = model.probabilities(dev), True
        how: dict[str, float] = {}
    else:
        from modeling.intent.learning import learn

        probabilities, how, is_main = learn(
            settings, train, dev, folder, device=device, resume=resume, tensorboard=tensorboard
        )
    run = RunFile(
        settings=settings,
        train_hash=train.fingerprint,
        dev_hash=dev.fingerprint,
        chosen=Chosen(
            threshold=best_threshold(dev.labels, probabilities),
            after_turn=after_turn(train),
            share_rate=float(train.labels.mean()),
            dev=intent_metrics(
                dev.labels, probabilities, best_threshold(dev.labels, probabilities)
            ),
            examples={"train": len(train), "dev": len(dev)},
            dialogues={"train": len(train.talks), "dev": len(dev.talks)},
            left_out={"train": train.left_out, "dev": dev.left_out},
            training=how,
        ),
    )
    if is_main:
        write_run(folder, run)
    return run
