"""A run measured after every round of the dialogues: RUN/rounds/SPLIT.json and RUN/rounds.html."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import msgspec
import torch
from torch import Tensor

from modeling.metrics import Ranks
from modeling.pages import write_page
from modeling.retrieval.encoding import Encoder
from modeling.retrieval.evaluate import pooled_examples
from modeling.retrieval.examples import RetrievalExamples
from modeling.retrieval.identities import identity_numbers, right_photos
from modeling.retrieval.matcher import Pictures
from modeling.retrieval.metrics import first_ranks
from modeling.retrieval.ranking import pictures_of
from modeling.retrieval.ranks import best_photos, ranks_of
from modeling.retrieval.results import Pool
from modeling.retrieval.round_metrics import EarlyAnswer, RoundRow, early_answers, rows_by_round
from modeling.retrieval.rounds import prefixes
from modeling.retrieval.runs import RunFile, finished, scored_by
from modeling.retrieval.settings import ScoreBy
from modeling.retrieval.train import load_run
from modeling.training.device import open_accelerator
from modeling.training.settings import Device
from photochat.atomic import atomic_file
from photochat.errors import DataError
from photochat.release import Release

SHOWN = 30  # dialogues on the page
BEST = 3  # photos named after each round
QUERIES_AT_ONCE = 32  # all of whose prefixes are held at once


class RoundEvaluation(msgspec.Struct, frozen=True, kw_only=True):
    """What a run reaches round by round: metrics in percent, and the rank of every prefix."""

    split: str
    pool: Pool
    queries: int
    photos: int
    one_pass: bool
    rounds: list[RoundRow]
    early: list[EarlyAnswer]
    dialogue_ids: list[int]
    ranks: list[list[int]]
    data_hash: str
    run: RunFile


def evaluate_by_round(
    release: Release,
    folder: Path,
    split: str = "test",
    *,
    images: Path | None = None,
    pool: Pool = "split",
    device: Device = "auto",
    resamples: int = 1000,
    seed: int = 0,
    score: ScoreBy | None = None,
) -> RoundEvaluation:
    """Rank the gallery after every round of every dialogue of a split; write what was found.

    Raises:
        DataError: no such split, or no query in it; no finished run; no pictures; the run reads
            descriptors, which are of whole talks.
    """
    examples = pooled_examples(release, split, pool)
    if not len(examples):
        raise DataError(
            f"the split {split} has no dialogue that shares a photo by name",
            file=release.files[0].path.parent,
        )
    return evaluate_examples_by_round(
        examples,
        folder,
        split,
        images=images,
        pool=pool,
        device=device,
        resamples=resamples,
        seed=seed,
        score=score,
    )


def evaluate_examples_by_round(
    examples: RetrievalExamples,
    folder: Path,
    split: str,
    *,
    images: Path | None = None,
    pool: Pool = "split",
    device: Device = "auto",
    resamples: int = 1000,
    seed: int = 0,
    score: ScoreBy | None = None,
) -> RoundEvaluation:
    """Do so for queries and photos, however they were come by.

    Raises:
        DataError: no finished run; no pictures; the run reads descriptors, or has no such score.
    """
    run, _ = finished(folder)
    run = msgspec.structs.replace(run, settings=scored_by(run.settings, score, folder))
    if run.settings.text != "dialogue":
        raise DataError("reads descriptors, which are of whole talks, not of rounds", file=folder)
    pictures = pictures_of(run, examples, images)
    retriever = load_run(folder, pictures, score)
    encoder = Encoder(retriever, open_accelerator(device, run.settings.training.precision))
    ranks, best = ranks_by_round(encoder, examples, pictures)
    result = RoundEvaluation(
        split=split,
        pool=pool,
        queries=len(examples),
        photos=len(examples.photos),
        one_pass=encoder.reads_rounds,
        rounds=rows_by_round(ranks, resamples=resamples, seed=seed),
        early=early_answers(ranks),
        dialogue_ids=[query.dialogue_id for query in examples.queries],
        ranks=[own.tolist() for own in ranks],
        data_hash=examples.fingerprint,
        run=run,
    )
    with atomic_file(folder / "rounds" / f"{split}.json") as part:
        part.write_bytes(msgspec.json.encode(result))
    _write_page(folder / "rounds.html", f"{folder.name}: {split}", result, examples, best)
    return result


def ranks_by_round(
    encoder: Encoder, examples: RetrievalExamples, pictures: Pictures | None = None
) -> tuple[list[Ranks], list[list[list[int]]]]:
    """Return, query by query, the rank after each round, and of the first `SHOWN` the best photos.

    Photos without a picture stand last. A query without a word has one rank, that of silence.
    """
    gallery = encoder.photos(examples.photos)
    available = None
    if pictures is not None:
        available = torch.tensor([pictures.has(photo) for photo in examples.photos])
    right = right_photos(examples)
    ranks: list[Ranks] = []
    best: list[list[list[int]]] = []
    for start in range(0, len(examples), QUERIES_AT_ONCE):
        queries = examples.queries[start : start + QUERIES_AT_ONCE]
        counts = [len(prefixes(query)) for query in queries]
        gold = right[start : start + QUERIES_AT_ONCE].repeat_interleave(torch.tensor(counts), 0)
        encoded = encoder.rounds(queries)
        places: list[list[int]] = []

        def scores(part: slice, encoded: dict[str, Tensor] = encoded) -> Tensor:
            return encoder.compared({n: t[part] for n, t in encoded.items()}, gallery)

        found = first_ranks(ranks_of(scores, gold, len(examples.photos), available=available))
        if start < SHOWN:
            places = best_photos(scores(slice(0, len(gold))), BEST, available)[1].tolist()
        at = 0
        for n in counts:
            ranks.append(found[at : at + n])
            if len(best) < SHOWN:
                best.append(places[at : at + n])
            at += n
    return ranks, best


def _write_page(
    file: Path,
    title: str,
    result: RoundEvaluation,
    examples: RetrievalExamples,
    best: Sequence[Sequence[Sequence[int]]],
) -> None:
    def named(place: int) -> str:
        photo = examples.photos[place]
        return ", ".join(photo.labels) or photo.key

    numbers = identity_numbers(examples)
    strips = [
        {
            "dialogue_id": query.dialogue_id,
            "photo": named(query.photo),
            "rounds": [
                {
                    "rank": ranks[j],
                    "turn": query.turns[j] if query.turns else None,
                    "best": [(named(p), numbers[p] == numbers[query.photo]) for p in own[j]],
                }
                for j in range(len(ranks))
            ],
        }
        for query, ranks, own in zip(examples.queries, result.ranks, best, strict=False)
    ]
    longest = max((len(strip["rounds"]) for strip in strips), default=0)  # type: ignore[arg-type]
    write_page(
        file,
        "modeling.retrieval",
        "rounds.html.j2",
        title=title,
        result=result,
        curve=_curve(result.rounds),
        strips=strips,
        longest=longest,
    )


def _curve(rows: Sequence[RoundRow]) -> str:
    """Draw recall after each round, with its interval, as SVG."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib.figure import Figure

    axes = (figure := Figure(figsize=(8, 3), layout="constrained")).subplots()
    rounds = [row.round for row in rows]
    for name in ("recall@1", "recall@5", "recall@10"):
        found = [row.metrics[name] for row in rows]
        axes.plot(rounds, [e.value for e in found], marker="o", label=name)
        axes.fill_between(rounds, [e.low for e in found], [e.high for e in found], alpha=0.15)
    axes.set(xlabel="rounds", ylabel="%")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "rounds"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return "<svg" + buffer.getvalue().partition("<svg")[2]
