"""BM25 over 12,000 photos, against rank-bm25 on the same documents and queries."""

import time
from pathlib import Path

from rank_bm25 import BM25Okapi

from benchmarks.dialogues import COUNT, source_records
from benchmarks.report import machine, report
from modeling.bm25 import K1, B, evaluate_bm25, photo_text, query_text, words
from modeling.metrics import rank_of
from photochat.dialogue import Dialogue
from photochat.release import Release, SourceFile

PEER_QUERIES = 60


def photos() -> tuple[str, Release]:
    """Return 12,000 dialogues over 12,000 photos, made by giving each repetition its own photo."""
    import msgspec

    name, records = source_records()
    dialogues = [
        msgspec.convert(
            {**records[i % len(records)], "dialogue_id": i, "photo_id": f"test/{i}"}, Dialogue
        )
        for i in range(COUNT)
    ]
    return name, Release((SourceFile(Path("test"), "test", dialogues),))


def main() -> None:
    """Measure and report."""
    name, release = photos()
    start = time.perf_counter()
    result = evaluate_bm25(release, resamples=1)
    ours = result.queries / (time.perf_counter() - start)

    dialogues = release.split("test")
    peer = BM25Okapi([words(photo_text(dialogue)) for dialogue in dialogues], k1=K1, b=B)
    asked = [i for i, d in enumerate(dialogues) if d.share_index is not None]
    step = len(asked) // PEER_QUERIES
    start = time.perf_counter()
    for i in asked[::step]:
        rank_of(peer.get_scores(words(query_text(dialogues[i]))), i)
    theirs = len(asked[::step]) / (time.perf_counter() - start)
    report(
        "bm25",
        [
            (
                "queries per second over rank-bm25 (our indexing counted)",
                ours / theirs,
                ">=",
                50,
            )
        ],
        {
            "data": f"12,000 photos: {name}",
            "queries": result.queries,
            "queries_per_second": round(ours),
            "queries_per_second_rank_bm25": round(theirs, 2),
            **machine("bm25s", "rank-bm25"),
        },
    )


if __name__ == "__main__":
    main()
