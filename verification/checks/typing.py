"""Text that was not typed by the writer in the chat: too fast for fingers, or pasted.

Times and paste marks stand in the keys that a collection exports (`at`, `pasted`); without them
only what the text itself shows can be seen. A hint of generated text, never a verdict.
"""

from __future__ import annotations

import re
from statistics import median
from typing import Any

from verification.finding import Finding
from verification.talk import Talk
from verification.thresholds import (
    LONG_ALONE,
    LONG_MESSAGE,
    LONG_OVER_MEDIAN,
    TYPED_CHARS,
    TYPED_CHARS_PER_SECOND,
)

# What people do not type into a chat: links, list marks, references, markup, typeset punctuation.
_NOT_TYPED = re.compile(
    r"https?://\S+|www\.\S+\.\S+|<[a-z][^<>]*>|\[\d{1,3}\]|\*\*\S.*?\S\*\*|^\s*(?:[•▪*-]\s|\d\.\s)"
    r"|\n|\t|[“”—]|©|®|™|as an ai\b|language model",
    re.IGNORECASE | re.MULTILINE,
)
_LINK = re.compile(r"https?://|www\.", re.IGNORECASE)


def too_fast(talk: Talk) -> list[Finding] | None:
    """Messages that came faster than anybody types."""
    times = [_number(turn.extra, "at") for turn in talk.dialogue.turns]
    if all(at is None for at in times):
        return None
    collection = (talk.dialogue.extra or {}).get("collection")
    start = _number(collection, "started_at") if isinstance(collection, dict) else None
    own_last: dict[int, float | None] = {}
    found = []
    for index, (turn, at) in enumerate(zip(talk.dialogue.turns, times, strict=True)):
        since = own_last.get(turn.user_id, start)
        own_last[turn.user_id] = at
        if at is None or since is None or len(turn.message) < TYPED_CHARS:
            continue
        rate = len(turn.message) / max(at - since, 0.1)
        if rate > TYPED_CHARS_PER_SECOND:
            message = (
                f"{len(turn.message)} characters within {max(at - since, 0):.1f} s of the same "
                "writer's last message: faster than people type."
            )
            found.append(Finding("too-fast", "review", message, turn=index, score=round(rate, 1)))
    return found


def pasted(talk: Talk) -> list[Finding]:
    """Messages marked as pasted, with marks of copied text, or far longer than the others."""
    lengths = [len(message) for message in talk.messages if message.strip()]
    usual = median(lengths) if lengths else 0
    found = []
    for index, message in enumerate(talk.messages):
        if (talk.dialogue.turns[index].extra or {}).get("pasted"):
            text = "This message was pasted, not typed."
            found.append(Finding("pasted", "review", text, index, 0, len(message)))
            continue
        mark = _NOT_TYPED.search(message)
        long = len(message) > min(LONG_ALONE, max(LONG_MESSAGE, LONG_OVER_MEDIAN * usual))
        if long:
            text = f"{len(message)} characters where the others have about {usual:.0f}: copied?"
            found.append(Finding("pasted", "review", text, index, 0, len(message), len(message)))
        elif mark:
            severity = "review" if _LINK.match(mark[0]) or len(message) > LONG_MESSAGE else "note"
            text = "This is seldom typed in a chat: copied from elsewhere?"
            found.append(Finding("pasted", severity, text, index, *mark.span()))  # type: ignore[arg-type]
    return found


def _number(record: Any, key: str) -> float | None:
    value = record.get(key) if isinstance(record, dict) else None
    return float(value) if isinstance(value, int | float) else None
