"""How well intent models do: trained on the published dev split, measured on half of test.

`python -m benchmarks.intent_quality tfidf turn-causal` names the presets to train; by default the
TF-IDF baseline alone, with its learning curve. Rows of other presets in the result file stay.
"""

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
from modeling.intent.train import train_intent
from photochat.release import Release, SourceFile, read_release
from photochat.split import split

DEV = 150  # of the 1,000 dialogues, to choose by; the others train
LIMITS = (100, 200, 500, None)
SHOWN = ("f1", "precision", "recall", "average_precision", "f1@dev", "precision@dev", "recall@dev")


def cut_release() -> Release:
    """Return the published dev split cut into train and dev, with half of the published test."""
    shared = Path(os.environ.get("PHOTOCHAT_SHARED") or REPOSITORY.parent / "shared")
    published = read_release(shared / "data" / "photochat")
    parts, _ = split(published.split("dev"), dev=DEV, test=0, seed=0)
    parts = {name: parts[name] for name in ("train", "dev")} | {"test": published.split("test")}
    return Release(tuple(SourceFile(shared, name, list(part)) for name, part in parts.items()))


def row(release: Release, preset: str, limit: int | None, hide_roles: bool) -> dict[str, Any]:
    """Train a preset and measure it on test."""
    settings = msgspec.structs.replace(PRESETS[preset].settings, limit=limit, hide_roles=hide_roles)
    with tempfile.TemporaryDirectory() as folder:
        run = train_intent(release, settings, Path(folder) / "run")
        result = evaluate_intent(release, Path(folder) / "run")
    assert run.chosen is not None
    found = {"preset": preset, "dialogues": run.chosen.dialogues["train"], "roles": not hide_roles}
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
        row(release, preset, limit, hide_roles)
        for preset in presets
        for limit, hide_roles in [*((limit, False) for limit in LIMITS), (None, True)]
    ]
    file = RESULTS / "intent_quality.json"
    before = json.loads(file.read_text())["rows"] if file.exists() else []
    kept = [old for old in before if old["preset"] not in presets]
    about = {
        "benchmark": "intent_quality",
        "trained_on": f"published dev, {DEV} of it to choose by",
        "measured_on": "the first 500 dialogues of published test; value and 95% interval",
        "rows": kept + rows,
        **machine("torch", "transformers", "scikit-learn"),
    }
    file.write_text(json.dumps(about, indent=2) + "\n")


if __name__ == "__main__":
    main()
