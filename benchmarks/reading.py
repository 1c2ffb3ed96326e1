"""Reading and validating 12,000 dialogues, against `orjson.loads` of the same bytes."""

import subprocess
import sys
import tempfile
from pathlib import Path

import orjson

from benchmarks.dialogues import write_release
from benchmarks.report import machine, median_seconds, report
from photochat.release import read_release
from photochat.validation import validate

PEAK = "import resource, sys; from photochat.validation import validate; validate(sys.argv[1]); " \
    "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"  # fmt: skip


def main() -> None:
    """Measure and report."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = write_release(folder)
        files = sorted((folder / "test").iterdir())
        loads = median_seconds(lambda: [orjson.loads(file.read_bytes()) for file in files])
        reads = median_seconds(lambda: read_release(folder))
        validates = median_seconds(lambda: validate(folder))
        peak = subprocess.run(
            [sys.executable, "-c", PEAK, name], capture_output=True, text=True, check=True
        )
    per_unit = 1024 if sys.platform != "darwin" else 1
    megabytes = int(peak.stdout) * per_unit / 1e6
    report(
        "reading",
        [
            ("reading and checking the layout, times orjson.loads", reads / loads, "<=", 3),
            ("reading and validating everything, times orjson.loads", validates / loads, "<=", 3),
            ("peak memory of validating, MB", megabytes, "<=", 600),
        ],
        {"data": f"12,000 dialogues: {source}", **machine("orjson", "msgspec")},
    )


if __name__ == "__main__":
    main()
