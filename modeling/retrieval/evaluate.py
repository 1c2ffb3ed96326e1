"""A run measured on a split: recall with intervals, by theme, against another run, and pictures.

RUN/metrics.json keeps what was measured on each split with all it takes to do it again,
RUN/ranks/SPLIT.json the rank of every query and the best photos, RUN/report.html and
RUN/gallery.html are for reading.
"""

from __future__ import annotations

import importlib.metadata
from collections import Counter
from pathlib import Path

import msgspec
import numpy as np

from modeling.bm25 import PhotoIndex, words
from modeling.metrics import Ranks, rank_of, retrieval_metrics
from modeling.retrieval.chatpedes import persons_of_one_photo
from modeling.retrieval.described import descriptors_for, without_descriptors
from modeling.retrieval.examples import RetrievalExamples, retrieval_examples
from modeling.retrieval.gallery import write_gallery
from modeling.retrieval.identities import by_chance, by_identity
from modeling.retrieval.metrics import by_theme, only_one_finds, paired_differences, precisions
from modeling.retrieval.ranking import Ranked, pictures_of, rank_examples
from modeling.retrieval.ranks import NONE
from modeling.retrieval.report import write_report
from modeling.retrieval.results import (
    Comparison,
    Pool,
    RankFile,
    RetrievalEvaluation,
    read_ranks,
    write_ranks,
)
from modeling.retrieval.runs import finished, scored_by
from modeling.retrieval.settings import ScoreBy
from modeling.retrieval.sources import Source
from modeling.runs import add_metrics
from modeling.training.settings import Device
from photochat.errors import DataError
from photochat.release import Release

RESAMPLES = 1000
_VERSIONS = ("torch", "transformers", "accelerate", "numpy")


def evaluate_retrieval(
    release: Release,
    folder: Path,
    split: str = "test",
    *,
    images: Path | None = None,
    pool: Pool = "split",
    device: Device = "auto",
    against: Path | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    score: ScoreBy | None = None,
) -> RetrievalEvaluation:
    """Measure the run in `folder` on a split; write its metrics, ranks, report and gallery.

    The photos of the split, or of the whole release, are ranked for each dialogue. `images` is the
    folder of pictures, needed by models that look at them and shown in the gallery. `against` is
    another run that was measured on the same split before. `score` is what a DiaNA ranks by instead
    of its own.

    Raises:
        DataError: no such split, or no query in it; no finished run; no pictures; `against` does
            not fit.
    """
    source = release.files[0].path.parent
    examples = pooled_examples(release, split, pool)
    if not len(examples):
        raise DataError(
            f"the split {split} has no dialogue that shares a photo by name", file=source
        )
    return evaluate_examples(
        examples,
        folder,
        split,
        dialogues=len(release.split(split)),
        images=images,
        pool=pool,
        device=device,
        against=against,
        resamples=resamples,
        seed=seed,
        score=score,
    )


def pooled_examples(release: Release, split: str, pool: Pool = "split") -> RetrievalExamples:
    """Return the queries of a split on its photos, or with "all" on those of the whole release.

    Raises:
        DataError: no such split.
    """
    own = retrieval_examples(release.split(split))
    if pool == "split":
        return own
    others = [d for name, part in release.splits.items() if name != split for d in part]
    everything = retrieval_examples(release.split(split) + others)
    return msgspec.structs.replace(
        everything, queries=everything.queries[: len(own)], left_out=own.left_out
    )


def evaluate_source(
    source: Source,
    folder: Path,
    split: str = "test",
    *,
    images: Path | None = None,
    device: Device = "auto",
    against: Path | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    score: ScoreBy | None = None,
) -> RetrievalEvaluation:
    """Measure the run in `folder` on a split of other data, as `evaluate_retrieval` does.

    Raises:
        DataError: there is no such split, or as there.
    """
    examples = source.split(split)
    return evaluate_examples(
        examples,
        folder,
        split,
        dialogues=len(examples),
        images=images,
        device=device,
        against=against,
        resamples=resamples,
        seed=seed,
        score=score,
    )


def evaluate_examples(
    examples: RetrievalExamples,
    folder: Path,
    split: str,
    *,
    dialogues: int,
    images: Path | None = None,
    pool: Pool = "split",
    device: Device = "auto",
    against: Path | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    score: ScoreBy | None = None,
) -> RetrievalEvaluation:
    """Measure the run in `folder` on queries and photos, however they were come by.

    Raises:
        DataError: no finished run, no pictures, or `against` does not fit.
    """
    run, _ = finished(folder)
    run = msgspec.structs.replace(run, settings=scored_by(run.settings, score, folder))
    data_hash = examples.fingerprint
    other = None if against is None else read_ranks(against, split, data_hash)
    pictures = pictures_of(run, examples, images)
    ranked = rank_examples(run, folder, examples, pictures, device, score)
    problems = dict(getattr(pictures, "problems", {}))
    gold = [examples.photos[query.photo] for query in examples.queries]
    same = precisions(ranked.ranks_same_labels, resamples=resamples, seed=seed)
    result = RetrievalEvaluation(
        split=split,
        pool=pool,
        dialogues=dialogues,
        queries=len(examples),
        left_out=examples.left_out,
        photos=len(examples.photos),
        available=sum(pictures is None or pictures.has(photo) for photo in examples.photos),
        without_picture=sum(pictures is not None and not pictures.has(photo) for photo in gold),
        problems=dict(Counter(problems.values()).most_common()),
        metrics=retrieval_metrics(ranked.ranks, resamples=resamples, seed=seed),
        same_labels=same,
        right_photos=float((ranked.ranks_same_labels != NONE).sum(axis=1).mean()),
        baselines=_baselines(examples),
        by_theme=by_theme(ranked.ranks, [photo.themes for photo in gold]),
        comparison=None
        if other is None
        else _compare(ranked.ranks, other, str(against), resamples, seed),
        data_hash=data_hash,
        run=run,
        without_descriptors=0
        if run.settings.text == "dialogue"
        else without_descriptors(examples.queries, descriptors_for(run.settings)),
        versions={name: importlib.metadata.version(name) for name in _VERSIONS},
        by_identity=by_identity(ranked.ranks_right, resamples=resamples, seed=seed)
        if examples.identities
        else {},
        one_photo=persons_of_one_photo(examples),
    )
    write_ranks(folder, split, _rank_file(data_hash, ranked, examples, problems))
    add_metrics(folder, result)
    write_gallery(folder / "gallery.html", result, examples, ranked, images, folder.name)
    write_report(folder / "report.html", result, folder, problems)
    return result


def _rank_file(
    data_hash: str, ranked: Ranked, examples: RetrievalExamples, problems: dict[str, str]
) -> RankFile:
    keys = [photo.key for photo in examples.photos]
    return RankFile(
        data_hash,
        [query.dialogue_id for query in examples.queries],
        ranked.ranks.tolist(),
        [keys[query.photo] for query in examples.queries],
        [[keys[i] for i in places] for places in ranked.best],
        ranked.scores,
        problems,
    )


def _baselines(examples: RetrievalExamples) -> dict[str, dict[str, float]]:
    """Return recalls of photos in random order and, where photos have labels, of BM25."""
    found = {"chance": by_chance(examples)}
    if any(photo.labels for photo in examples.photos):
        index = PhotoIndex([words(" ".join(photo.labels)) for photo in examples.photos])
        said = [" ".join(turn.text for turn in query.turns) for query in examples.queries]
        ranks = [
            rank_of(index.scores(words(text)), query.photo)
            for text, query in zip(said, examples.queries, strict=True)
        ]
        found["bm25"] = _values(np.array(ranks))
    return found


def _values(ranks: Ranks) -> dict[str, float]:
    return {name: e.value for name, e in retrieval_metrics(ranks, resamples=0).items()}


def _compare(ranks: Ranks, other: RankFile, name: str, resamples: int, seed: int) -> Comparison:
    others = np.array(other.ranks, dtype=np.int64)
    only_other, only_this = only_one_finds(others, ranks)
    return Comparison(
        name,
        paired_differences(others, ranks, resamples=resamples, seed=seed),
        only_this,
        only_other,
    )
