"""How well labels alone find the photo: trained on published dev, measured on half of test.

`python -m benchmarks.retrieval_quality` measures BM25, MiniLM as it comes and MiniLM trained, all
on the same gallery; names of presets as arguments train those, and rows of others stay. What is
trained has three seeds. No picture is looked at, and the persona's sentence is left out.
"""

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch

from benchmarks.report import REPOSITORY, RESULTS, machine
from modeling.bm25 import evaluate_bm25
from modeling.metrics import Estimate, Ranks, estimates, per_query_metrics
from modeling.retrieval.encoding import ranks_in
from modeling.retrieval.examples import retrieval_examples
from modeling.retrieval.presets import PRESETS
from modeling.retrieval.train import load_run, release_splits, train_retrieval
from modeling.training.device import open_accelerator
from photochat.release import Release, SourceFile, read_release
from photochat.split import split

DEV = 150  # of the 1,000 dialogues, to choose by; the others train
SEEDS = (0, 1, 2)
DEFAULT = ["minilm-zero-shot", "minilm-words", "minilm"]


def cut_release() -> Release:
    """Return the published dev split cut into train and dev, with half of the published test."""
    shared = Path(os.environ.get("PHOTOCHAT_SHARED") or REPOSITORY.parent / "shared")
    published = read_release(shared / "data" / "photochat")
    parts, _ = split(published.split("dev"), dev=DEV, test=0, seed=0)
    parts = {name: parts[name] for name in ("train", "dev")} | {"test": published.split("test")}
    return Release(tuple(SourceFile(shared, name, list(part)) for name, part in parts.items()))


def mean_metrics(runs: Sequence[Ranks]) -> dict[str, Estimate]:
    """Return the mean over runs, each (queries,), of every metric.

    The interval is over queries: a resample draws a query with its ranks in all runs. The median
    rank is that of each query's median over the runs.
    """
    columns = [per_query_metrics(ranks) for ranks in runs]
    means = {name: np.mean([own[name] for own in columns], axis=0) for name in columns[0]}
    middle = {"median_rank": np.median(np.stack(runs), axis=0)}
    return estimates(means, resamples=1000, confidence=0.95, seed=0) | estimates(
        middle, np.median, resamples=1000, confidence=0.95, seed=0
    )


def row(release: Release, preset: str) -> dict[str, Any]:
    """Train a preset, with each seed, and measure it on test."""
    test = retrieval_examples(release.split("test"))
    settings = PRESETS[preset].settings
    runs = []
    for seed in SEEDS if settings.training.epochs else SEEDS[:1]:
        training = msgspec.structs.replace(settings.training, seed=seed)
        with tempfile.TemporaryDirectory() as folder:
            run = Path(folder) / "run"
            seeded = msgspec.structs.replace(settings, training=training)
            train_retrieval(release_splits(release), seeded, run)
            runs.append(ranks_in(load_run(run), test, open_accelerator()))
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    found = _row(preset, mean_metrics(runs), len(test), len(test.photos))
    return found | {"seeds": len(runs), "device": device}


def _row(name: str, metrics: dict[str, Estimate], queries: int, photos: int) -> dict[str, Any]:
    found: dict[str, Any] = {"model": name, "queries": queries, "photos": photos}
    for metric, e in metrics.items():
        found[metric] = [round(value, 1) for value in (e.value, e.low, e.high)]
    print(json.dumps(found), flush=True)
    return found


def main() -> None:
    """Measure, and keep the rows."""
    release = cut_release()
    rows = []
    for fold in (False, True):
        peer = evaluate_bm25(release, fold_plurals=fold)
        name = "bm25, plurals folded" if fold else "bm25"
        rows.append(_row(name, peer.metrics, peer.queries, peer.photos))
    rows += [row(release, preset) for preset in sys.argv[1:] or DEFAULT]
    file = RESULTS / "retrieval_quality.json"
    before = json.loads(file.read_text())["rows"] if file.exists() else []
    rows += [old for old in before if old["model"] not in {new["model"] for new in rows}]
    about = {
        "benchmark": "retrieval_quality",
        "trained_on": f"published dev, {DEV} of it to choose by",
        "measured_on": "the first 500 dialogues of published test; value and 95% interval",
        "rows": rows,
        **machine("torch", "transformers"),
    }
    file.write_text(json.dumps(about, indent=2) + "\n")


if __name__ == "__main__":
    main()
