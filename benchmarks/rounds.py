"""What answering after every round costs, beside answering once at the end.

Talks of 4 to 16 turns; global vectors alone, and with DiaNA's refiner, whose blocks run once a
prefix. A network that reads from left to right is held to 1.5 times: a tiny one with random weights
and, where it is installed, SmolLM2 with the refiner as published (512 wide, 16 attributes). The
tiny one with a refiner as wide as itself is the worst case. A network that reads both ways has one
pass a prefix, and is held to the mean number of rounds.
"""

from __future__ import annotations

import msgspec
import numpy as np
from wordfreq import top_n_list

from benchmarks.report import machine, median_seconds, report
from modeling.retrieval.encoding import Encoder
from modeling.retrieval.examples import Query
from modeling.retrieval.kinds import build_retriever
from modeling.retrieval.settings import DianaSettings, RetrievalSettings
from modeling.training.device import open_accelerator
from photochat.dialogue import Utterance
from photochat.packaged_models import PACKAGES, installed

TALKS, LARGE_TALKS = 64, 8
WORDS = top_n_list("en", 500)
SMALL = DianaSettings(image=None, width=64, heads=4)
# text model, what is changed of SMALL, talks
ROWS = (
    ("tiny-llama", {"pooling": "last", "refine": "none"}, TALKS),
    ("tiny-llama", {"pooling": "last"}, TALKS),
    ("tiny-bert", {"pooling": "mean", "refine": "none"}, TALKS),
    ("smollm2", {"pooling": "last", "width": 512, "heads": 8}, LARGE_TALKS),
)


def talks(count: int, source: np.random.Generator) -> list[Query]:
    """Return made-up talks of 4 to 16 turns of 3 to 14 words."""
    return [
        Query(
            n,
            tuple(
                Utterance(j % 2, " ".join(source.choice(WORDS, source.integers(3, 15))))
                for j in range(source.integers(4, 17))
            ),
            0,
            0,
        )
        for n in range(count)
    ]


def main() -> None:
    """Measure and report."""
    queries = talks(TALKS, np.random.default_rng(0))
    mean = float(np.mean([len(query.turns) for query in queries]))
    claims = []
    for name, change, count in ROWS:
        if name in PACKAGES and installed(name) is None:
            print(f"rounds: {name} is left out, its package is not installed")
            continue
        model = msgspec.structs.replace(SMALL, dialogue=name, **change)
        settings = RetrievalSettings(model=model, speakers="all", max_length=256)
        encoder = Encoder(build_retriever(settings, texts=WORDS), open_accelerator("cpu"))
        asked = queries[:count]
        once = median_seconds(lambda encoder=encoder, asked=asked: encoder.queries(asked), 3)
        every = median_seconds(lambda encoder=encoder, asked=asked: encoder.rounds(asked), 3)
        how = "one pass a talk" if encoder.reads_rounds else "one pass a prefix"
        how += "" if model.refine == "none" else ", with the refiner"
        limit = 1.5 if encoder.reads_rounds else mean
        claims.append((f"all rounds / once, {name} ({how})", every / once, "<=", limit))
    report(
        "rounds",
        claims,
        {**machine("torch"), "talks": TALKS, "mean_rounds": round(mean, 1)},
    )


if __name__ == "__main__":
    main()
