"""How well intent models do: trained on the published dev split, measured on half of test.

`python -m benchmarks.intent_quality tfidf turn-causal` names the presets to train; by default the
TF-IDF baseline alone, with its learning curve. Rows of other presets in the result file stay.
Networks are trained with three seeds, in bf16 where there is a GPU.
"""

import importlib.util
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.report import REPOSITORY, RESULTS, machine
from modeling.intent.evaluate import evaluate_intent
from modeling.intent.presets import PRESETS
from modeling.intent.settings import TFIDF
from modeling.intent.train import train_intent
from modeling.training.settings import Precision
from photochat.release import Release, SourceFile, read_release
from photochat.split import split

DEV = 150  # of the 1,000 dialogues, to choose by; the others train
LIMITS = (100, 200, 500, None)
SEEDS = (0, 1, 2)
SHOWN = ("f1", "precision", "recall", "average_precision", "f1@dev", "precision@dev", "recall@dev")


def cut_release() -> Release:
    """Return the published dev split cut into train and dev, with half of the published test."""
    shared = Path(os.environ.get("PHOTOCHAT_SHARED") or REPOSITORY.parent / "shared")
    published = read_release(shared / "data" / "photochat")
    parts, _ = split(published.split("dev"), dev=DEV, test=0, seed=0)
    parts = {name: parts[name] for name in ("train", "dev")} | {"test": published.split("test")}
    return Release(tuple(SourceFile(shared, name, list(part)) for name, part in parts.items()))


def gpu() -> str:
    """Return the name of the GPU that networks are trained on; empty without one."""
    if importlib.util.find_spec("torch") is None:
        return ""
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else ""


def row(
    release: Release, preset: str, limit: int | None, hide_roles: bool, seed: int
) -> dict[str, Any]:
    """Train a preset and measure it on test."""
    recipe = PRESETS[preset].settings
    device = "" if preset == TFIDF else gpu()
    precision: Precision = "bf16" if device else "fp32"
    settings = msgspec.structs.replace(
        recipe,
        limit=limit,
        hide_roles=hide_roles,
        training=msgspec.structs.replace(recipe.training, seed=seed, precision=precision),
    )
    with tempfile.TemporaryDirectory() as folder:
        run = train_intent(release, settings, Path(folder) / "run")
        result = evaluate_intent(release, Path(folder) / "run")
    assert run.chosen is not None
    found = {"preset": preset, "dialogues": run.chosen.dialogues["train"], "roles": not hide_roles}
    found |= {"seed": seed, "device": device or "cpu", "precision": precision}
    for name in SHOWN:
        e = result.metrics[name]
        found[name] = [round(value, 1) for value in (e.value, e.low, e.high)]
    print(json.dumps(found), flush=True)
    return found


def main() -> None:
    """Train, measure, and keep the rows."""
    presets = sys.argv[1:] or ["tfidf"]
    release = cut_release()
    rows = [
        row(release, preset, limit, hide_roles, seed)
        for preset in presets
        for seed in (SEEDS[:1] if preset == TFIDF else SEEDS)
        for limit, hide_roles in [*((limit, False) for limit in LIMITS), (None, True)]
    ]
    file = RESULTS / "intent_quality.json"
    before = json.loads(file.read_text()) if file.exists() else {"rows": []}
    kept = [old for old in before["rows"] if old["preset"] not in presets]
    about = {
        **before,
        "benchmark": "intent_quality",
        "trained_on": f"published dev, {DEV} of it to choose by",
        "measured_on": "the first 500 dialogues of published test; value and 95% interval",
        "rows": kept + rows,
        **machine("torch", "transformers", "scikit-learn"),
    }
    file.write_text(json.dumps(about, indent=2) + "\n")


if __name__ == "__main__":
    main()
