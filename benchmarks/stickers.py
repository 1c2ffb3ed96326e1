"""Int-RA against its ablations on made-up conversations whose answer depends on the intention.

A conversation has a topic and an intention, and so has its sticker; any sticker of the intention is
right. The topic helps to tell the sticker that was sent, and misleads about what is right.

`python -m benchmarks.stickers` trains each variant from scratch for three epochs on 96
conversations, with several seeds of data and weights, and prints the mAP on 96 others.
`python -m benchmarks.stickers 2` takes two seeds. About 5 s a run on one core.
"""

import json
import sys
import tempfile
from pathlib import Path
from statistics import mean

import msgspec

from benchmarks.report import machine, report
from modeling.stickers.evaluate import evaluate_stickers
from modeling.stickers.presets import PRESETS
from modeling.stickers.settings import IntRASettings
from modeling.stickers.train import train_stickers
from photochat.stickers import read_stickers
from tests.sticker_sample import INTENTIONS, write_descriptions, write_knowledge, write_sample

SEEDS = 4
EPOCHS = 3
CONVERSATIONS, VALID, STICKERS = 96, 24, 24

VARIANTS: dict[str, dict[str, object]] = {
    "Int-RA": {},
    "without intention": {"intention": False},
    "without knowledge": {"knowledge": False},
    "without attributes": {"attributes": False},
    "label with text": {"fusion": "label+text"},
    "one number as relation": {"relation": "scalar"},
    "rho_pos by the letter": {"positive": "similarity"},
}


def settings_of(change: dict[str, object], seed: int) -> IntRASettings:
    """Return the small recipe's settings with a variant's change."""
    small = PRESETS["int-ra-tiny"].settings
    training = msgspec.structs.replace(small.training, epochs=EPOCHS, seed=seed)
    return msgspec.structs.replace(small, intentions=INTENTIONS, training=training, **change)


def reached(seed: int, folder: Path) -> dict[str, float]:
    """Return the mAP of each variant, and that of a random order."""
    data = write_sample(
        folder / "data",
        train=CONVERSATIONS,
        valid=VALID,
        test=CONVERSATIONS,
        stickers=STICKERS,
        seed=seed,
    )
    write_knowledge(data, data / "knowledge.jsonl")
    write_descriptions(data, data / "descriptions.jsonl")
    read = read_stickers(data, intentions=INTENTIONS)
    found = {}
    for number, (name, change) in enumerate(VARIANTS.items()):
        run = folder / f"run{number}"
        train_stickers(read, settings_of(change, seed), run, device="cpu")
        result = evaluate_stickers(data, run, device="cpu", resamples=0)
        found[name] = result.metrics["map"].value
    return found | {"by chance": result.chance["map"]}


def main() -> None:
    """Train, measure, print the table."""
    seeds = int(sys.argv[1]) if sys.argv[1:] else SEEDS
    rows = []
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as folder:
            rows.append(reached(seed, Path(folder)))
        print(
            json.dumps({"seed": seed} | {n: round(v, 1) for n, v in rows[-1].items()}), flush=True
        )
    means = {name: mean(row[name] for row in rows) for name in rows[0]}
    for name, value in means.items():
        print(f"{name:24s} {value:5.1f}  " + " ".join(f"{row[name]:5.1f}" for row in rows))
    better = sum(row["Int-RA"] > row["without intention"] for row in rows)
    report(
        "stickers",
        [
            (
                "mAP above the ablation without intention, points",
                means["Int-RA"] - means["without intention"],
                ">=",
                0,
            ),
            (f"seeds of {seeds} in which it is better", better, ">=", seeds),
        ],
        {"map": means, "seeds": seeds, "epochs": EPOCHS, **machine("torch", "transformers")},
    )


if __name__ == "__main__":
    main()
