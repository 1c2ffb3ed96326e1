"""Which rows make which step: shuffled, bucketed by length, cut to a budget of padded tokens.

A plan is a pure function of lengths, seed and epoch, so a resumed run finds its place in it, and
every process of a distributed run computes the same plan and takes its own part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Rows = list[int]

T = TypeVar("T")


def plan_epoch(
    lengths: Sequence[int],
    *,
    rows_per_step: int,
    bucket: int,
    seed: int,
    epoch: int,
) -> list[Rows]:
    """Return the rows of each optimiser step, each row once, in this epoch's order.

    `bucket` steps' worth of rows are sorted by length together, so that rows of a step are of like
    length; 1 leaves steps as drawn. Within a step rows stand by length in any case.
    """
    source = np.random.default_rng([seed, epoch])
    order = source.permutation(len(lengths))
    sizes = np.asarray(lengths)
    steps: list[Rows] = []
    for start in range(0, len(order), rows_per_step * bucket):
        pool = order[start : start + rows_per_step * bucket]
        pool = pool[np.argsort(sizes[pool], kind="stable")]
        cut = [pool[at : at + rows_per_step] for at in range(0, len(pool), rows_per_step)]
        steps += [cut[i].tolist() for i in source.permutation(len(cut))]
    return steps


def micro_batches(rows: Rows, lengths: Sequence[int], max_tokens: int) -> list[Rows]:
    """Cut rows, sorted by length, into batches of at most `max_tokens` tokens with padding.

    A row longer than that stands alone.
    """
    batches: list[Rows] = []
    for row in sorted(rows, key=lambda row: lengths[row]):
        if not batches or (len(batches[-1]) + 1) * lengths[row] > max_tokens:
            batches.append([])
        batches[-1].append(row)
    return batches


def share_of_process(batches: list[Rows], process: int, processes: int) -> list[tuple[Rows, bool]]:
    """Return the micro-batches of one process, each with whether it counts.

    Every process gets equally many, since sharded models wait for each other in each forward
    pass: who has too few repeats one that does not count.
    """
    rounds = -(-len(batches) // processes)
    own = [(batch, True) for batch in batches[process::processes]]
    return own + [(batch, False) for batch in batches[:1]] * (rounds - len(own))


def padding_share(batches: Sequence[Rows], lengths: Sequence[int]) -> float:
    """Return the share of tokens in `batches` that are padding."""
    real = sum(lengths[row] for batch in batches for row in batch)
    padded = sum(len(batch) * max(lengths[row] for row in batch) for batch in batches)
    return 1 - real / padded if padded else 0.0


def padded(sequences: Sequence[NDArray[np.int32]], fill: int) -> NDArray[np.int64]:
    """Stack sequences of shape (length,) into (rows, longest), filled up on the right."""
    table = np.full((len(sequences), max(map(len, sequences))), fill, dtype=np.int64)
    for line, sequence in zip(table, sequences, strict=True):
        line[: len(sequence)] = sequence
    return table


def ahead(items: Iterator[T]) -> Iterator[T]:
    """Yield items, each made by a thread while the one before is used."""
    nothing = object()
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, items, nothing)
        while (item := coming.result()) is not nothing:
            coming = thread.submit(next, items, nothing)
            yield item  # type: ignore[misc]
