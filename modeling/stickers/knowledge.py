"""Commonsense about conversations (equations 1 and 2): five relations each, kept in a file.

A line of the file is one conversation: `{"conversation_id": 7, "knowledge": {"xIntent": "to
celebrate", ...}}`, from whatever model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from modeling.stickers.lines import read_lines
from photochat.errors import DataError
from photochat.stickers import StickerConversation

# Section 4.1: R in {xIntent, xNeed, xWant, xEffect, xReact}, in the order of equation 2.
RELATIONS = ("xIntent", "xNeed", "xWant", "xEffect", "xReact")

ConversationId = int | str


class Knowledge(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is inferred of one conversation, by relation; `of` is a hash of what was read."""

    conversation_id: ConversationId
    knowledge: dict[str, str]
    of: str = ""

    @property
    def texts(self) -> tuple[str, ...]:
        """Return C_know, the relations' texts in their order; "none" and nothing are left out."""
        said = (self.knowledge.get(relation, "").strip() for relation in RELATIONS)
        return tuple(text for text in said if text and text.lower() != "none")


def read_knowledge(file: Path) -> dict[ConversationId, Knowledge]:
    """Read a file of knowledge; half a line at its end, where writing stopped, is left out.

    Raises:
        DataError: it cannot be read, or a line is no knowledge, or of a conversation seen before.
    """
    found: dict[ConversationId, Knowledge] = {}
    for one in read_lines(file, Knowledge, "knowledge"):
        unknown = [relation for relation in one.knowledge if relation not in RELATIONS]
        if unknown:
            raise DataError(
                f"unknown relation {unknown[0]!r} (known: {', '.join(RELATIONS)})",
                file=file,
                record=f"conversation {one.conversation_id}",
            )
        if one.conversation_id in found:
            raise DataError(
                "stands there twice", file=file, record=f"conversation {one.conversation_id}"
            )
        found[one.conversation_id] = one
    return found


def knowledge_texts(
    conversations: Iterable[StickerConversation], known: Mapping[ConversationId, Knowledge]
) -> tuple[list[tuple[str, ...]], int]:
    """Return C_know of each conversation, and of how many nothing is known."""
    texts = [
        known[one.conversation_id].texts if one.conversation_id in known else ()
        for one in conversations
    ]
    return texts, sum(not text for text in texts)
