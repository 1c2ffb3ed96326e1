"""Run all benchmarks, or those named: `python -m benchmarks reading startup`."""

import subprocess
import sys

ALL = [
    "startup", "reading", "bm25", "filtering", "checks", "intent", "campaign", "chat_load",
    "chat_crashes",
]  # fmt: skip

for name in sys.argv[1:] or ALL:
    subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)
