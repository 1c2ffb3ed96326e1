"""What sticker conversations hold, counted as Table 1 of arXiv 2403.05427 counts them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from photochat.stickers import StickerConversation, StickerData

TOTAL = "total"

# The paper does not say what a token is. Here it is what its multilingual BERT splits first: a
# Chinese or Japanese character or Korean syllable by itself, else what stands between white space.
_WIDE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0002fa1f"
_TOKEN = re.compile(f"[{_WIDE}]|[^{_WIDE}\\s]+")


class StickerStatistics(msgspec.Struct, frozen=True):
    """The counts of one split, or of all.

    `stickers` are all that can be chosen, the same in every split; `stickers_used` are those that
    answer a conversation. `utterances` leaves the sticker out, as the columns of Table 1 do;
    `utterances_with_stickers` counts it as one, as the paper's totals (12,644; 8.01) do.
    """

    conversations: int
    utterances: int
    utterances_with_stickers: int
    tokens: int
    stickers: int
    stickers_used: int
    users: int
    utterances_per_conversation: float
    users_per_conversation: float
    tokens_per_utterance: float
    intentions: dict[str, int]


def tokens_in(text: str) -> int:
    """Count tokens.

    >>> tokens_in("哈哈 ok!")
    3
    """
    return len(_TOKEN.findall(text))


def sticker_stats(data: StickerData) -> dict[str, StickerStatistics]:
    """Count each split, and all together."""
    parts: Mapping[str, Sequence[StickerConversation]] = data.splits
    if len(parts) > 1:
        parts = {**parts, TOTAL: [one for part in parts.values() for one in part]}
    return {name: _count(part, len(data.stickers)) for name, part in parts.items()}


def _count(part: Sequence[StickerConversation], stickers: int) -> StickerStatistics:
    utterances = sum(len(one.turns) for one in part)
    tokens = sum(tokens_in(turn.text) for one in part for turn in one.turns)
    intentions = Counter(one.intention for one in part)
    return StickerStatistics(
        conversations=len(part),
        utterances=utterances,
        utterances_with_stickers=utterances + len(part),
        tokens=tokens,
        stickers=stickers,
        stickers_used=len({one.sticker_id for one in part}),
        users=len({user for one in part for user in one.users}),
        utterances_per_conversation=utterances / len(part) if part else 0.0,
        users_per_conversation=sum(len(one.users) for one in part) / len(part) if part else 0.0,
        tokens_per_utterance=tokens / utterances if utterances else 0.0,
        intentions=dict(sorted(intentions.items(), key=lambda item: (-item[1], item[0]))),
    )
