"""The photo-sharing intent task (section 5): after each turn, will a photo come next?

A dialogue's turns before its photo make one `Talk`; each of its turns ends one example, the prefix
t_1..t_j. Nothing from the photo on is ever looked at, but for the fact that it came.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from photochat.dialogue import Dialogue, Utterance, merge_turns

Construction = Literal["paper", "messages", "shared-only"]
Labels = NDArray[np.int64]


class Talk(msgspec.Struct, frozen=True):
    """The turns of one dialogue before its photo. Turn j ends the example t_1..t_j.

    `label` of the last turn is 1 when the photo came next; all others are 0.
    """

    dialogue_id: int
    turns: tuple[Utterance, ...]
    shared: bool

    @property
    def labels(self) -> list[int]:
        """One label a turn: was the photo shared next?"""
        return [int(self.shared and j == len(self.turns)) for j in range(1, len(self.turns) + 1)]


class IntentExamples(msgspec.Struct, frozen=True):
    """The talks of a split, and how many dialogues gave none, by reason."""

    talks: tuple[Talk, ...]
    left_out: dict[str, int]

    def __len__(self) -> int:
        """Return the number of examples: turns, over all talks."""
        return sum(len(talk.turns) for talk in self.talks)

    @property
    def labels(self) -> Labels:
        """Return the examples' labels, talk after talk, shape (examples,)."""
        return np.array([label for talk in self.talks for label in talk.labels], dtype=np.int64)

    @property
    def talk_of(self) -> Labels:
        """Return each example's talk, as an index, shape (examples,)."""
        return np.repeat(np.arange(len(self.talks)), [len(talk.turns) for talk in self.talks])

    @property
    def positions(self) -> Labels:
        """Return how many turns each example holds, from 1, shape (examples,)."""
        counts = [np.arange(1, len(talk.turns) + 1) for talk in self.talks]
        return np.concatenate(counts) if counts else np.zeros(0, dtype=np.int64)

    @property
    def fingerprint(self) -> str:
        """Return a hash of all that a model sees: equal for equal examples in equal order."""
        return hashlib.sha256(msgspec.json.encode(self.talks)).hexdigest()[:16]


def _by_message(dialogue: Dialogue) -> tuple[Utterance, ...]:
    return tuple(Utterance(turn.user_id, turn.message) for turn in dialogue.before_share)


def _merged(dialogue: Dialogue) -> tuple[Utterance, ...]:
    return merge_turns(dialogue.before_share)


# How the turns of a talk are made. "paper" gives Table 3's counts, "messages" a third more.
CONSTRUCTIONS: dict[Construction, Callable[[Dialogue], tuple[Utterance, ...]]] = {
    "paper": _merged,
    "messages": _by_message,
    "shared-only": _merged,
}


def intent_examples(
    dialogues: Sequence[Dialogue],
    construction: Construction = "paper",
    *,
    hide_roles: bool = False,
) -> IntentExamples:
    """Make the examples of the intent task, as the paper counts them (Table 3).

    "paper" merges consecutive messages of a speaker; for h turns before the photo, the whole is
    positive and its h - 1 shorter prefixes are negative. A dialogue without a photo gives
    negatives for all its turns but the last, after which nothing comes; "shared-only" leaves such
    dialogues out. "messages" makes each message a turn.

    In the published files user 0 is always the sharer, so the user id says who will share: the
    paper gives it to its models (section 5). `hide_roles` renames whoever speaks first to 0.
    """
    talks: list[Talk] = []
    left_out: Counter[str] = Counter()
    for dialogue in dialogues:
        shared = dialogue.share_index is not None
        if construction == "shared-only" and not shared:
            left_out["no photo turn"] += 1
            continue
        turns = CONSTRUCTIONS[construction](dialogue)
        turns = turns if shared else turns[:-1]
        if not turns:
            left_out["no turn to predict after"] += 1
            continue
        talks.append(
            Talk(dialogue.dialogue_id, _roles_hidden(turns) if hide_roles else turns, shared)
        )
    return IntentExamples(tuple(talks), dict(left_out))


def talk_so_far(
    dialogue: Dialogue, construction: Construction = "paper", *, hide_roles: bool = False
) -> Talk:
    """Return the talk to predict on: every turn before the photo, the last one included.

    The turns are empty when the photo comes first.
    """
    turns = CONSTRUCTIONS[construction](dialogue)
    turns = _roles_hidden(turns) if hide_roles else turns
    return Talk(dialogue.dialogue_id, turns, dialogue.share_index is not None)


def _roles_hidden(turns: tuple[Utterance, ...]) -> tuple[Utterance, ...]:
    names: dict[int, int] = {}
    return tuple(Utterance(names.setdefault(turn.user_id, len(names)), turn.text) for turn in turns)
