"""DiaNA's attributes against its whole vectors, on made-up talks that dwell on one of many things.

A photo has a value of each of four attributes. A talk names all of them, in any order and by other
words than the photo's labels do, one of them ten times and the others once. The combinations asked
for in the test are not those that were trained on, so the photo can be found only attribute by
attribute; and photos come in groups that differ in one.

`python -m benchmarks.refiner` trains DiaNA from scratch with several seeds of data and
weights and ranks each time by refined scores, by whole vectors and by both. Beside it stand two
runs without a refiner: one vector of the same width, and one of as many numbers as all attributes
have together. `python -m benchmarks.refiner 2` takes two seeds. Labels stand for pictures.
About three minutes a seed on one core.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import mean

import msgspec
import numpy as np

from benchmarks.report import machine, report
from modeling.metrics import retrieval_metrics
from modeling.retrieval.encoding import ranks_in
from modeling.retrieval.examples import GalleryPhoto, Query, RetrievalExamples
from modeling.retrieval.settings import DianaSettings, RetrievalSettings
from modeling.retrieval.train import Splits, load_run, train_retrieval
from modeling.training.device import open_accelerator
from modeling.training.settings import TrainingSettings
from photochat.dialogue import Utterance

SEEDS = 4
EPOCHS = 45
ATTRIBUTES, VALUES = 4, 8
MENTIONS = 10  # of the attribute that a talk dwells on; of the others, one
TRAIN, DEV, TEST = 512, 128, 256
WIDTH, SLOTS = 16, 4
NOISE = ["well", "so", "i", "think", "it", "was", "maybe", "yes", "then", "also", "quite"]

RUNS: dict[str, dict[str, object]] = {
    "with the refiner": {},
    "one vector": {"refine": "none"},
    "one vector of all numbers": {"refine": "none", "width": WIDTH * SLOTS},
}


def made_up(count: int, source: np.random.Generator) -> RetrievalExamples:
    """Return photos of `count` combinations of values, no two equal, and a talk about each.

    They come in groups of one combination and those that differ from it in one attribute.
    """
    combinations: dict[tuple[int, ...], None] = {}
    while len(combinations) < count:
        values = source.integers(0, VALUES, ATTRIBUTES)
        combinations[tuple(values.tolist())] = None
        for k in range(ATTRIBUTES):
            twin = values.copy()
            twin[k] = (values[k] + source.integers(1, VALUES)) % VALUES
            combinations[tuple(twin.tolist())] = None
    photos, queries = [], []
    for n, own in enumerate(list(combinations)[:count]):
        labels = tuple(f"label{chr(97 + k)}{chr(97 + v)}" for k, v in enumerate(own))
        photos.append(GalleryPhoto(f"made/{n}", f"made/{n}", labels))
        turns = []
        dwelt_on = source.integers(ATTRIBUTES)
        told = [*range(ATTRIBUTES), *[dwelt_on] * (MENTIONS - 1)]
        for k in source.permutation(told):
            words = [*source.choice(NOISE, 2), f"talk{chr(97 + k)}{chr(97 + own[k])}"]
            turns.append(Utterance(len(turns) % 2, " ".join(source.permutation(words))))
        queries.append(Query(n, tuple(turns), 0, n))
    return RetrievalExamples(tuple(photos), tuple(queries))


def settings_of(seed: int, **change: object) -> RetrievalSettings:
    """Return the settings of a run with small networks."""
    model = DianaSettings(
        dialogue="tiny-bert", pooling="mean", image=None, width=WIDTH, slots=SLOTS, heads=2
    )
    return RetrievalSettings(
        model=msgspec.structs.replace(model, **change),
        speakers="all",
        max_length=128,
        temperature=1 / 50,
        training=TrainingSettings(
            epochs=EPOCHS, rows_per_step=64, bucket=1, learning_rate=2e-3, warmup=0.05, seed=seed
        ),
    )


def reached(seed: int, folder: Path) -> dict[str, float]:
    """Return recall@1 on the test photos of each run and of each way to rank by it."""
    source = np.random.default_rng(seed)
    train, dev, test = (made_up(count, source) for count in (TRAIN, DEV, TEST))
    accelerator = open_accelerator("cpu")
    found = {}
    for name, change in RUNS.items():
        settings = settings_of(seed, **change)
        train_retrieval(Splits(train, dev, folder), settings, folder / name, device="cpu")
        retriever = load_run(folder / name)
        for score in ("global",) if change else ("refined", "global", "both"):
            retriever.matcher.model = msgspec.structs.replace(settings.model, score=score)
            metrics = retrieval_metrics(ranks_in(retriever, test, accelerator), resamples=0)
            found[name if change else f"{name}, by {score}"] = metrics["recall@1"].value
    return found


def main() -> None:
    """Train, measure, print the table."""
    seeds = int(sys.argv[1]) if sys.argv[1:] else SEEDS
    rows = []
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as folder:
            rows.append(reached(seed, Path(folder)))
        print(seed, {name: round(value, 1) for name, value in rows[-1].items()}, flush=True)
    for name in rows[0]:
        reached_by = [row[name] for row in rows]
        print(f"{name:28s} {mean(reached_by):5.1f}  " + " ".join(f"{x:5.1f}" for x in reached_by))
    print_and_keep(rows)


def print_and_keep(rows: list[dict[str, float]]) -> None:
    """Report what the seeds reached."""
    claims = []
    for ours, other in (
        ("with the refiner, by both", "one vector"),
        ("with the refiner, by refined", "one vector"),
        ("with the refiner, by refined", "with the refiner, by global"),
    ):
        gains = [row[ours] - row[other] for row in rows]
        better = sum(gain > 0 for gain in gains)
        claims += [
            (f"{ours}, above {other}, points of recall@1", mean(gains), ">=", 0),
            (f"{ours}, above {other}, seeds of {len(rows)}", better, ">=", len(rows)),
        ]
    about = {"recall@1 by seed": rows, "epochs": EPOCHS, **machine("torch", "transformers")}
    report("refiner", claims, about)


if __name__ == "__main__":
    main()
