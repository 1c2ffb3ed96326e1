"""How a benchmark reports: a table for people, one line of JSON, a file in benchmarks/results."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results"


def machine(*packages: str) -> dict[str, Any]:
    """Describe the machine and the versions of `packages`, without naming the machine."""
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        "commit": commit.stdout.strip() or None,
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": round(gigabytes),
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


def median_seconds(run: Callable[[], object], runs: int = 5) -> float:
    """Return the median time of `run`, after one run that does not count."""
    run()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def report(
    name: str, claims: Sequence[tuple[str, float, str, float]], about: dict[str, Any]
) -> None:
    """Print and keep claims: (what, measured, "<=" or ">=", limit).

    A claim that does not hold is printed as such; nothing fails.
    """
    rows = []
    for what, measured, relation, limit in claims:
        holds = measured <= limit if relation == "<=" else measured >= limit
        rows.append(
            {"claim": what, "measured": round(measured, 3), "target": f"{relation} {limit:g}",
             "holds": holds}
        )  # fmt: skip
        mark = "holds" if holds else "MISSED"
        print(f"{name}: {what}: {measured:.3g} ({relation} {limit:g}: {mark})")
    result = {"benchmark": name, "claims": rows, **about}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result))
