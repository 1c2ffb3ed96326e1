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
    "rounds", "chat_load", "campaign", "chat_crashes",
)  # fmt: skip
# They count what is lost or paid wrongly, and time nothing: so they run at the same time.
TOGETHER = {"campaign", "chat_crashes"}
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
    names = sys.argv[1:] or QUICK
    for name in names:
        if name not in TOGETHER:
            _end(_begin(name))
    _end(*[_begin(name) for name in names if name in TOGETHER])
    _end(_begin("page"))


def _begin(name: str) -> subprocess.Popen[bytes]:
    module, *options = name.split()
    return subprocess.Popen([sys.executable, "-m", f"benchmarks.{module}", *options])


def _end(*running: subprocess.Popen[bytes]) -> None:
    if failed := [status for process in running if (status := process.wait())]:
        raise SystemExit(failed[0])


if __name__ == "__main__":
    main()
