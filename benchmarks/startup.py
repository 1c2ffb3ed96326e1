"""How long `photochat --help` takes over a bare interpreter's start."""

import subprocess
import sys

from benchmarks.report import machine, median_seconds, report

RUNS = 15


def seconds(*arguments: str) -> float:
    """Return the median time of a Python process with `arguments`."""
    command = [sys.executable, *arguments]
    return median_seconds(
        lambda: subprocess.run(command, capture_output=True, check=True), runs=RUNS
    )


if __name__ == "__main__":
    over = seconds("-m", "photochat", "--help") - seconds("-c", "pass")
    claim = "`photochat --help`, seconds over a bare interpreter's start"
    report("startup", [(claim, over, "<=", 0.3)], machine("typer"))
