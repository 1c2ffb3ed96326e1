"""Write docs/benchmarks.md from benchmarks/results: every claim, with machine, date and commit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.report import REPOSITORY, RESULTS

OUT = REPOSITORY / "docs" / "benchmarks.md"
HEAD = """# Benchmarks

Written by `make bench` from `benchmarks/results/`, where each file says more. A claim is a ratio
against a named peer or a limit, measured in one run; "missed" is said of those that do not hold.
"""


def page() -> str:
    """Return the page: a table for each result that makes claims."""
    return HEAD + "".join(_section(json.loads(file.read_text())) for file in _results())


def _results() -> Iterator[Path]:
    yield from sorted(RESULTS.glob("*.json"))


def _section(result: dict[str, Any]) -> str:
    claims = result.get("claims")
    if not claims:
        return ""
    machine = result.get("machine") or result
    where = (
        f"{machine.get('cores', '?')} cores, {machine.get('memory_gb', '?')} GB, Python "
        f"{machine.get('python', '?')}; {machine.get('date', '?')}, commit "
        f"{machine.get('commit') or '?'}"
    )
    rows = "".join(
        f"| {c['claim']} | {c['measured']:,g} | {c['target']} | "
        f"{'holds' if c['holds'] else '**missed**'} |\n"
        for c in claims
    )
    name = result["benchmark"]
    again = name.replace("_small", " --small")
    return (
        f"\n## {name}\n\n{where}. Again: `python -m benchmarks.{again}`\n"
        f"\n| claim | measured | target | |\n|---|---|---|---|\n{rows}"
    )


if __name__ == "__main__":
    OUT.write_text(page())
