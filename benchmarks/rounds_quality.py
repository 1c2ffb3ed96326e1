"""How early the photo is found by runs trained on random rounds and on whole talks, without photos.

The preset `minilm` (talk and labels, the persona's sentence left out) trains on published dev with
`--rounds random` and with `--rounds all`, with three seeds each, and is measured on half of test
after 1, 2, 3, half and all of the rounds: `python -m benchmarks.rounds_quality [MODEL]`, where
MODEL is a folder with MiniLM, if not that of its package. With --small it only shows that it runs.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import tempfile
import traceback
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.report import RESULTS, machine
from benchmarks.retrieval_quality import SEEDS, cut_release, mean_metrics
from modeling.metrics import Estimate, estimates, per_query_metrics
from modeling.retrieval.by_round import ranks_by_round
from modeling.retrieval.encoding import Encoder
from modeling.retrieval.examples import RetrievalExamples, retrieval_examples
from modeling.retrieval.presets import PRESETS
from modeling.retrieval.round_metrics import Half, early_answers, ranks_after
from modeling.retrieval.settings import DualEncoderSettings, RetrievalSettings
from modeling.retrieval.train import load_run, release_splits, train_retrieval
from modeling.training.device import open_accelerator

ARMS = ("random", "all")
POINTS: tuple[int | Half, ...] = (1, 2, 3, "half", "all")
METRICS = ("recall@1", "recall@5", "recall@10", "sum", "mrr")
TRIES = 2
SMALL = 24  # queries

Ranks = list[list[int]]  # by query, after each of its rounds


def recipe(arm: str, seed: int, model: str | None, *, small: bool) -> RetrievalSettings:
    """Return the preset with the rounds, the seed and the text model wanted."""
    settings = PRESETS["minilm"].settings
    towers = settings.model
    assert isinstance(towers, DualEncoderSettings)
    if model is not None:
        towers = msgspec.structs.replace(towers, context=model, label=model)
    training = msgspec.structs.replace(
        settings.training, seed=seed, epochs=1 if small else settings.training.epochs
    )
    return msgspec.structs.replace(settings, model=towers, rounds=arm, training=training)


def ranks(arm: str, seed: int, model: str | None, small: bool) -> Ranks:
    """Train on dev and return the ranks on test, after each round."""
    torch.set_num_threads(1 if torch.cuda.is_available() else torch.get_num_threads())
    release = cut_release()
    test = retrieval_examples(release.split("test"))
    splits = release_splits(release)
    if small:
        test = RetrievalExamples(test.photos, test.queries[:SMALL])
        few = RetrievalExamples(splits.train.photos, splits.train.queries[:SMALL])
        splits = splits._replace(train=few)
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        train_retrieval(splits, recipe(arm, seed, model, small=small), run)
        encoder = Encoder(load_run(run), open_accelerator())
        return [own.tolist() for own in ranks_by_round(encoder, test)[0]]


def tried(arm: str, seed: int, model: str | None, small: bool) -> Ranks | None:
    """Return the ranks; None if training failed as often as it may."""
    for _ in range(TRIES):
        try:
            return ranks(arm, seed, model, small)
        except Exception:
            traceback.print_exc()
    return None


def row(runs: Sequence[Ranks], rounds: int | Half) -> dict[str, Any]:
    """Return the mean over the runs of each metric after so many rounds, and each run's sum."""
    at = [ranks_after([np.array(own) for own in run], rounds) for run in runs]
    metrics = mean_metrics(at)
    sums = [round(float(per_query_metrics(own)["sum"].mean()), 1) for own in at]
    return {"rounds": rounds, **{name: _rounded(metrics[name]) for name in METRICS}} | {
        "sum_by_seed": sums
    }


def gain(first: Sequence[Ranks], second: Sequence[Ranks], rounds: int | Half) -> dict[str, Any]:
    """Return how much better the first runs are than the second, on the same queries."""

    def means(runs: Sequence[Ranks]) -> dict[str, NDArray[np.float64]]:
        each = [
            per_query_metrics(ranks_after([np.array(own) for own in run], rounds)) for run in runs
        ]
        return {name: np.mean([own[name] for own in each], axis=0) for name in METRICS}

    one, other = means(first), means(second)
    apart = {name: one[name] - other[name] for name in METRICS}
    found = estimates(apart, resamples=1000, confidence=0.95, seed=0)
    return {"rounds": rounds, **{name: _rounded(e) for name, e in found.items()}}


def _rounded(e: Estimate) -> list[float]:
    return [round(value, 1) for value in (e.value, e.low, e.high)]


def early(runs: Sequence[Ranks]) -> list[dict[str, float]]:
    """Return how early the photo is found, as the mean over the runs."""
    each = [early_answers([np.array(own) for own in run]) for run in runs]
    return [
        {
            "k": answers[0].k,
            "found": round(float(np.mean([a.found for a in answers])), 1),
            "mean_rounds": round(float(np.mean([a.mean_rounds for a in answers])), 2),
            "lost": round(float(np.mean([a.lost for a in answers])), 1),
        }
        for answers in zip(*each, strict=True)
    ]


def main() -> None:
    """Train all, several at a time on a GPU, and keep what was measured."""
    small = "--small" in sys.argv
    model = next((word for word in sys.argv[1:] if not word.startswith("-")), None)
    on_gpu = torch.cuda.is_available()
    seeds = SEEDS[:1] if small else SEEDS
    spawn = multiprocessing.get_context("spawn")
    found: dict[str, list[Ranks]] = {arm: [] for arm in ARMS}
    failed = []
    with ProcessPoolExecutor(6 if on_gpu else 1, mp_context=spawn) as pool:
        jobs = {pool.submit(tried, a, s, model, small): (a, s) for s in seeds for a in ARMS}
        for job in as_completed(jobs):
            arm, seed = jobs[job]
            done = job.result()
            if done is None:
                failed.append(f"{arm}, seed {seed}")
            else:
                found[arm].append(done)
            print(f"rounds_quality: {arm}, seed {seed}: {'failed' if done is None else 'done'}")
    result: dict[str, Any] = {
        "benchmark": "rounds_quality_small" if small else "rounds_quality",
        "recipe": "preset minilm, trained with --rounds random and with --rounds all",
        "trained_on": "published dev, 150 dialogues of it to choose by",
        "measured_on": "half of published test; means over seeds, 95% intervals over queries",
        "seeds": len(seeds),
        "failed": failed,
        "device": torch.cuda.get_device_name() if on_gpu else "cpu",
    }
    for arm, runs in found.items():
        if runs:
            result["queries"] = len(runs[0])
            result["mean_rounds"] = round(float(np.mean([len(own) for own in runs[0]])), 2)
            result[arm] = [row(runs, rounds) for rounds in POINTS]
            result[f"early_{arm}"] = early(runs)
    if all(found.values()):
        result["random_minus_all"] = [
            gain(found["random"], found["all"], rounds) for rounds in POINTS
        ]
    result |= machine("torch", "transformers")
    text = json.dumps(result, indent=2) + "\n"
    (RESULTS / f"{result['benchmark']}.json").write_text(text)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
