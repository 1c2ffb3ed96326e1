"""What answering after every round costs, beside answering once at the end.

Talks of 4 to 16 turns, small networks with random weights, global vectors alone and with DiaNA's
refiner, as wide as they are, whose blocks run once a prefix. A network that reads from left to
right is held to 1.5 times, with the refiner too; one that reads both ways has one pass a prefix,
and is held to the mean number of rounds.
"""

from __future__ import annotations

import numpy as np

from benchmarks.report import machine, median_seconds, report
from modeling.retrieval.encoding import Encoder
from modeling.retrieval.examples import Query
from modeling.retrieval.kinds import build_retriever
from modeling.retrieval.settings import DianaSettings, RetrievalSettings
from modeling.training.device import open_accelerator
from photochat.dialogue import Utterance

TALKS = 64
WORDS = [f"word{n}" for n in range(500)]


def main() -> None:
    """Measure and report."""
    source = np.random.default_rng(0)
    queries = []
    for n in range(TALKS):
        turns = tuple(
            Utterance(j % 2, " ".join(source.choice(WORDS, source.integers(3, 15))))
            for j in range(source.integers(4, 17))
        )
        queries.append(Query(n, turns, 0, 0))
    mean = float(np.mean([len(query.turns) for query in queries]))
    claims = []
    for name, pooling, refine, limit in (
        ("tiny-llama", "last", "none", 1.5),
        ("tiny-llama", "last", "both", 1.5),
        ("tiny-bert", "mean", "none", mean),
    ):
        model = DianaSettings(
            dialogue=name, pooling=pooling, image=None, refine=refine, width=64, heads=4
        )
        settings = RetrievalSettings(model=model, speakers="all", max_length=256)
        encoder = Encoder(build_retriever(settings, texts=WORDS), open_accelerator("cpu"))
        once = median_seconds(lambda encoder=encoder: encoder.queries(queries), 3)
        every = median_seconds(lambda encoder=encoder: encoder.rounds(queries), 3)
        how = "one pass a talk" if encoder.reads_rounds else "one pass a prefix"
        how += ", with the refiner" if refine == "both" else ""
        claims.append((f"all rounds / once, {name} ({how})", every / once, "<=", limit))
    report(
        "rounds",
        claims,
        {**machine("torch"), "talks": TALKS, "mean_rounds": round(mean, 1)},
    )


if __name__ == "__main__":
    main()
