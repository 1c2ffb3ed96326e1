"""Processes that begin at once: children of one that has imported what all of them need.

So several cost the imports once, and one that is killed is killed in its work and not in them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType

from tests.conftest import REPOSITORY

COMMAND_LINE = """
from photochat.cli import main

def run(*words):
    sys.argv = ["photochat", *words]
    main()
"""
_LOOP = """
import json, os, sys
for line in sys.stdin:
    asked = json.loads(line)
    if "wait" in asked:
        answer = os.waitstatus_to_exitcode(os.waitpid(asked["wait"], 0)[1])
    else:
        answer = os.fork()
        if not answer:
            os.environ.update(asked["environment"])
            run(*asked["start"])
            sys.exit(0)
    print(answer, file=answers, flush=True)
"""


class Forked:
    """Starts children that call `run(*words)`, which a piece of Python has defined.

    What they print on stdout is lost; stderr is the caller's.
    """

    def __init__(self, code: str, folder: Path) -> None:
        quiet = "import os, sys\nanswers, sys.stdout = sys.stdout, open(os.devnull, 'w')\n"
        path = os.pathsep.join([str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])])
        self._parent = subprocess.Popen(
            [sys.executable, "-c", quiet + code + _LOOP], cwd=folder, text=True,
            env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def __enter__(self) -> Forked:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._parent.kill()
        self._parent.wait()

    def start(self, *words: object, **environment: str) -> int:
        """Start a child; return its process id."""
        return self._ask({"start": [str(word) for word in words], "environment": environment})

    def wait(self, child: int) -> int:
        """Wait for a child to end; return its exit status, or minus the signal that killed it."""
        return self._ask({"wait": child})

    def _ask(self, question: dict[str, object]) -> int:
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._parent.stdin.write(json.dumps(question) + "\n")
        self._parent.stdin.flush()
        return int(self._parent.stdout.readline())
