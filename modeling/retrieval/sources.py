"""Data beside releases that models train on and are measured on, named by a word in front.

`coco:FILE` are captions (`modeling.retrieval.coco`), `chatpedes:FILE|DIR` dialogues about persons
(`modeling.retrieval.chatpedes`).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from modeling.retrieval.chatpedes import read_chatpedes
from modeling.retrieval.coco import read_coco
from modeling.retrieval.examples import RetrievalExamples
from photochat.errors import DataError

READERS: dict[str, Callable[[Path], dict[str, RetrievalExamples]]] = {
    "coco": read_coco,
    "chatpedes": read_chatpedes,
}


class Source(NamedTuple):
    """Examples by split, and the file or folder they come from."""

    splits: dict[str, RetrievalExamples]
    file: Path

    def split(self, name: str) -> RetrievalExamples:
        """Return the examples of a split.

        Raises:
            DataError: there is none.
        """
        if not self.splits.get(name):
            raise DataError(f"has nothing in a split {name}", file=self.file)
        return self.splits[name]


def read_source(data: str) -> Source | None:
    """Read what `data` names by `coco:` or `chatpedes:`; None where it names neither.

    Raises:
        DataError: it cannot be read, or is of another form.
    """
    kind, colon, name = data.partition(":")
    if not colon or kind not in READERS:
        return None
    return Source(READERS[kind](Path(name)), Path(name))
