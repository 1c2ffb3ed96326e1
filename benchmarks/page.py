"""Write docs/benchmarks.md from benchmarks/results: every claim, with machine, date and commit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from benchmarks.plot import draw
from benchmarks.report import REPOSITORY, RESULTS

OUT = REPOSITORY / "docs" / "benchmarks.md"
PLOT = OUT.with_suffix(".svg")
HEAD = """# Benchmarks

Written by `make bench` from `benchmarks/results/`, where each file says more. A claim is a ratio
against a named peer or a limit, measured in one run; "missed" is said of those that do not hold.

![Each claim by how many times better than its limit it is; the tables below hold every
number](benchmarks.svg)

One dot a claim: blue, to the right of the line, if it holds; red if it is missed. A limit of zero
(nothing lost, nothing doubled) has no place in it.
"""


def page(results: Sequence[dict[str, Any]]) -> str:
    """Return the page: a table for each result."""
    return HEAD + "".join(map(_section, results))


def read_results() -> list[dict[str, Any]]:
    """Return the results that make claims."""
    results = [json.loads(file.read_text()) for file in sorted(RESULTS.glob("*.json"))]
    return [result for result in results if result.get("claims")]


def _section(result: dict[str, Any]) -> str:
    claims = result["claims"]
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
    results = read_results()
    OUT.write_text(page(results))
    draw({result["benchmark"]: result["claims"] for result in results}, PLOT)
