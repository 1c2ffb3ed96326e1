"""Run all benchmarks, or those named: `python -m benchmarks reading startup`; then write the page.

Of all, filtering runs small: at full size, `python -m benchmarks.filtering`, it takes 20 minutes.
"""

import subprocess
import sys

ALL = [
    "startup", "reading", "bm25", "filtering --small", "checks", "intent", "retrieval", "stickers",
    "rounds", "campaign", "chat_load", "chat_crashes",
]  # fmt: skip

for name in [*(sys.argv[1:] or ALL), "page"]:
    module, *options = name.split()
    subprocess.run([sys.executable, "-m", f"benchmarks.{module}", *options], check=True)
