"""A model that answers nothing: it counts what would be asked, for an estimate beforehand."""

from __future__ import annotations

from pathlib import Path

import msgspec

from photochat.language_model.answer_store import AnswerStore
from photochat.language_model.question import (
    CHARS_PER_TOKEN,
    NoAnswerError,
    Question,
    Reply,
    estimated_tokens,
)


class Rehearsal:
    """Takes a model's place, and its name, so that answers kept on disk are found.

    Each question is given the same stand-in for an answer, of the length that answers usually have.
    """

    concurrency = 1

    def __init__(self, name: str, stand_ins: tuple[object, ...]) -> None:
        self.name = name
        self._stand_ins = {
            _keys(msgspec.to_builtins(answer)): msgspec.json.encode(answer).decode()
            for answer in stand_ins
        }

    async def reply(self, question: Question) -> Reply:
        """Return the stand-in of the question's schema."""
        text = self._stand_ins.get(_keys(question.schema.get("properties", {})))
        if text is None:
            raise NoAnswerError("an estimate needs a stand-in for each kind of answer")
        written = -(-len(text) // CHARS_PER_TOKEN)
        return Reply(text, estimated_tokens(question), written, False)

    async def close(self) -> None:
        """Nothing is open."""


def _keys(fields: dict[str, object]) -> tuple[str, ...]:
    return tuple(sorted(fields))


class KeptOnly:
    """Answers kept on disk, to look at: nothing is added, and no file is made."""

    def __init__(self, path: str | Path) -> None:
        self._store = AnswerStore(path) if Path(path).exists() else None

    def get(self, key: str) -> Reply | None:
        """Return the answer kept under a key, if there is one."""
        return self._store.get(key) if self._store else None

    def put(self, key: str, model: str, reply: Reply) -> None:
        """Keep nothing: the answer is a stand-in."""

    def close(self) -> None:
        """Close the file."""
        if self._store:
            self._store.close()
