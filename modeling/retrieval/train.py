"""Training a retrieval model: from a release, or captions, to a run folder.

RUN/settings.json, RUN/log.jsonl, RUN/model, RUN/checkpoints.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from modeling.retrieval.described import descriptors_for, without_descriptors
from modeling.retrieval.encoding import ranks_in
from modeling.retrieval.examples import RetrievalExamples, retrieval_examples
from modeling.retrieval.kinds import build_retriever
from modeling.retrieval.matcher import Pictures, Retriever
from modeling.retrieval.regions import open_pictures
from modeling.retrieval.runs import Chosen, RunFile, finished, scored_by
from modeling.retrieval.settings import RetrievalSettings, ScoreBy
from modeling.retrieval.task import RetrievalTask, dev_metrics
from modeling.retrieval.texts import shown
from modeling.retrieval.wise import keep_between
from modeling.runs import MODEL, claim, write_run
from modeling.training.device import open_accelerator
from modeling.training.loop import train
from modeling.training.settings import Device
from photochat.atomic import atomic_folder
from photochat.errors import DataError
from photochat.release import Release


class Splits(NamedTuple):
    """What is trained on and what is chosen by, and where it comes from."""

    train: RetrievalExamples
    dev: RetrievalExamples
    source: Path


def release_splits(release: Release, limit: int | None = None) -> Splits:
    """Return the train and dev splits of a release, of train the first `limit` dialogues.

    Raises:
        DataError: the release lacks one.
    """
    return Splits(
        retrieval_examples(release.split("train"), limit=limit),
        retrieval_examples(release.split("dev")),
        release.files[0].path.parent,
    )


def train_retrieval(
    splits: Splits,
    settings: RetrievalSettings,
    folder: Path,
    *,
    images: Path | None = None,
    device: Device = "auto",
    resume: bool = False,
    tensorboard: bool = False,
) -> RunFile:
    """Train on train, choose by the sum of recalls on dev, and leave a run in `folder`.

    `images` is the folder of pictures, needed by models that look at them. With no epochs the model
    is kept as it starts. With `resume`, go on where an interrupted run of the same settings and
    data stopped.

    Raises:
        DataError: a split has no usable dialogue; pictures or a model cannot be had; the folder
            holds another run; training failed.
    """
    if settings.rounds == "random" and settings.text != "dialogue":
        raise DataError("descriptors are of whole talks: leave them out, or --rounds random")
    for name, examples in (("train", splits.train), ("dev", splits.dev)):
        if not len(examples):
            raise DataError(
                f"the split {name} has no dialogue that shares a photo by name", file=splits.source
            )
    pictures = _pictures(splits, settings, images)
    accelerator = open_accelerator(device, settings.training.precision)
    start = RunFile(
        settings=settings, train_hash=splits.train.fingerprint, dev_hash=splits.dev.fingerprint
    )
    if os.environ.get("RANK", "0") == "0":  # one of several processes under a launcher
        claim(folder, start, resume)
    with accelerator.main_process_first():  # the others find the model on disk
        retriever = build_retriever(
            settings,
            texts=_texts(splits.train),
            label_texts=[shown(photo, settings.persona) for photo in splits.train.photos],
            pictures=pictures,
            weights=_weights_to_start_from(settings),
        )
    how: dict[str, float] = {}
    if settings.training.epochs:
        task = RetrievalTask(retriever, settings, splits.train, splits.dev, pictures)
        outcome = train(
            task, settings.training, folder, device=device, resume=resume, tensorboard=tensorboard
        )
        how = {
            "steps": outcome.progress.step,
            "best_step": outcome.progress.best_step,
            "stopped_early": float(outcome.stopped_early),
            "tokens_per_second": outcome.tokens_per_second,
            "waiting": outcome.waiting,
        }
        accelerator = open_accelerator(device, settings.training.precision)
        how |= keep_between(
            settings,
            folder / MODEL,
            _weights_to_start_from(settings),
            splits.dev,
            pictures,
            accelerator,
        )
    elif accelerator.is_main_process:
        with atomic_folder(folder / MODEL, replace=True) as part:
            retriever.save(retriever.matcher.state_dict(), part)
    how["parameters"] = float(sum(p.numel() for p in retriever.matcher.parameters()))
    accelerator.wait_for_everyone()
    kept = build_retriever(settings, pictures=pictures, weights=folder / MODEL)
    run = RunFile(
        settings=settings,
        train_hash=start.train_hash,
        dev_hash=start.dev_hash,
        chosen=Chosen(
            dev=dev_metrics(ranks_in(kept, splits.dev, accelerator, pictures)),
            queries={"train": len(splits.train), "dev": len(splits.dev)},
            photos={"train": len(splits.train.photos), "dev": len(splits.dev.photos)},
            left_out={"train": splits.train.left_out, "dev": splits.dev.left_out},
            without_picture={
                "train": _without_picture(splits.train, pictures),
                "dev": _without_picture(splits.dev, pictures),
            },
            training=how,
            without_descriptors=_without_descriptors(splits, settings),
        ),
    )
    if accelerator.is_main_process:
        write_run(folder, run)
    return run


def load_run(
    folder: Path, pictures: Pictures | None = None, score: ScoreBy | None = None
) -> Retriever:
    """Return the kept model of a finished run; `score` is what a DiaNA ranks by instead of its own.

    Raises:
        DataError: the folder holds no finished run of retrieval, or its model cannot be loaded or
            has no such score.
    """
    settings = scored_by(finished(folder)[0].settings, score, folder)
    return build_retriever(settings, pictures=pictures, weights=folder / MODEL)


def _pictures(splits: Splits, settings: RetrievalSettings, images: Path | None) -> Pictures | None:
    photos = {p.key: p for p in (*splits.train.photos, *splits.dev.photos)}
    store = open_pictures(list(photos.values()), images, settings.model.pictures)
    for name, examples in (("train", splits.train), ("dev", splits.dev)):
        if store is not None and _without_picture(examples, store) == len(examples):
            raise DataError(f"holds no picture of the split {name}", file=images)
    return store


def _without_picture(examples: RetrievalExamples, pictures: Pictures | None) -> int:
    if pictures is None:
        return 0
    return sum(not pictures.has(examples.photos[query.photo]) for query in examples.queries)


def _without_descriptors(splits: Splits, settings: RetrievalSettings) -> dict[str, int]:
    if settings.text == "dialogue":
        return {}
    described = descriptors_for(settings)
    return {
        "train": without_descriptors(splits.train.queries, described),
        "dev": without_descriptors(splits.dev.queries, described),
    }


def _texts(examples: RetrievalExamples) -> list[str]:
    said = [turn.text for query in examples.queries for turn in query.turns]
    return [*said, *(", ".join(photo.labels) for photo in examples.photos)]


def _weights_to_start_from(settings: RetrievalSettings) -> Path | None:
    if settings.init_from is None:
        return None
    other, _ = finished(Path(settings.init_from))
    if other.settings.model != settings.model:
        raise DataError(
            "is a run of another model: leave --model and --preset out, or name the same",
            file=settings.init_from,
        )
    return Path(settings.init_from) / MODEL
