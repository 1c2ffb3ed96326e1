"""The crash drill: bots talk, things are killed in the middle, and everything acknowledged is
counted in the export afterwards."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from collection.campaign import Campaign, Limits
from collection.export import Exported, export
from collection.simulate.compare import Comparison, compare, read_export
from collection.simulate.diary import read_diary
from collection.simulate.habits import Shares
from collection.simulate.run import Rehearsal, simulate

CAMPAIGN = """
[limits]
requests_burst = 100000
connections_burst = 100000
"""
KEY = "the key of pseudonyms"


class Drill(NamedTuple):
    """What came of a drill. `live_at_kills` counts the messages between the kills."""

    rehearsal: Rehearsal
    exported: Exported
    comparison: Comparison
    kills: int
    acknowledged_between: list[int]


def drill(
    folder: Path,
    url: str,
    db: str,
    kills: Sequence[Callable[[], None]],
    *,
    pairs: int,
    rate: float,
    first: float,
    between: tuple[float, float],
    seed: int = 0,
    troubled: float = 0.3,
) -> Drill:
    """Let bots talk at `url`; carry out one of `kills` after the other while they do.

    Each of `kills` kills something and starts it again. The first comes after `first` seconds,
    the others after a time drawn from `between`; each only once something was acknowledged since.
    """
    log = folder / "bots.jsonl"
    limits = Limits(requests_burst=100_000, connections_burst=100_000)
    results: list[Rehearsal] = []

    def rehearse() -> None:
        results.append(
            simulate(
                url, Campaign(limits=limits), pairs=pairs, rate=rate, seed=seed, log=log,
                shares=Shares(troubled, 0.0), patience=60.0, max_wait=120.0,
            )
        )  # fmt: skip

    bots = threading.Thread(target=rehearse)
    bots.start()
    draw = random.Random(seed)
    done, times = 0, [time.time()]
    time.sleep(first)
    for kill in kills:
        if not bots.is_alive():
            break
        while bots.is_alive() and not _acknowledged(log, times[-1], time.time()):
            time.sleep(0.1)
        times.append(time.time())
        kill()
        done += 1
        time.sleep(draw.uniform(*between))
    bots.join()
    raw = folder / "raw.jsonl"
    exported = export(db, raw, key=KEY)
    times.append(time.time())
    counts = [_acknowledged(log, start, end) for start, end in itertools.pairwise(times)]
    comparison = compare(list(read_diary(log)), read_export(raw))
    return Drill(results[0], exported, comparison, done, counts)


def _acknowledged(log: Path, start: float, end: float) -> int:
    """Count the messages that the diary so far says were acknowledged in a time."""
    if not log.exists():
        return 0
    return sum(entry.kind == "acked" and start <= entry.at < end for entry in read_diary(log))
