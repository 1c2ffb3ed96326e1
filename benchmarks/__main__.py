"""Run benchmarks, those named or all that are quick, then write docs/benchmarks.md.

python -m benchmarks                  all that `make bench` runs, in this order
python -m benchmarks startup reading  these
python -m benchmarks --help           the list
"""

import subprocess
import sys
from pathlib import Path

QUOTES = '"'
# What takes long at full size runs with --small here; `python -m benchmarks.NAME` is the whole.
QUICK = (
    "startup", "reading", "filtering --small", "bm25", "checks --small", "intent", "retrieval",
    "rounds", "campaign", "chat_load", "chat_crashes",
)  # fmt: skip
# Models are trained for real, or a file or a GPU is needed that does not come with the toolkit.
LONG = (
    "intent_quality", "retrieval_quality", "rounds_quality", "refiner", "stickers",
    "retrieval_gpu", "reranker",
)  # fmt: skip


def listing() -> str:
    """Return the help: each benchmark with the first line of what it says of itself."""
    lines = [__doc__ or ""]
    for title, names in (("Quick:", QUICK), ("Only when named:", LONG)):
        lines.append(title)
        for name in names:
            text = Path(__file__).with_name(f"{name.split()[0]}.py").read_text()
            lines.append(f"  {name:18} {text.splitlines()[0].strip(QUOTES)}")
    return "\n".join(lines)


def main() -> None:
    """Run them one after the other; stop at one that fails."""
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(listing())
        return
    for name in [*(sys.argv[1:] or QUICK), "page"]:
        module, *options = name.split()
        subprocess.run([sys.executable, "-m", f"benchmarks.{module}", *options], check=True)


if __name__ == "__main__":
    main()
