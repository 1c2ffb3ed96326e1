"""The mark of dialogues that a language model made: a key of the record, in every format.

People's dialogues are what a data set of this kind is for. Made ones carry `"synthetic": {...}`,
stay out of splits unless asked for by name, and are counted apart.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from photochat.dialogue import Dialogue, without_extra

SYNTHETIC = "synthetic"


class Origin(msgspec.Struct, frozen=True):
    """What made a dialogue: the model, a hash of the prompts, the run's seed, our version."""

    model: str
    prompts: str
    seed: int
    toolkit: str


def mark(dialogue: Dialogue, origin: Origin) -> Dialogue:
    """Return the dialogue marked as made by `origin`."""
    extra = {**(dialogue.extra or {}), SYNTHETIC: msgspec.to_builtins(origin)}
    return msgspec.structs.replace(dialogue, extra=extra)


def is_synthetic(dialogue: Dialogue) -> bool:
    """Tell whether a dialogue is marked as made; any value but null and false is a mark."""
    return (dialogue.extra or {}).get(SYNTHETIC) not in (None, False)


def only_mark_kept(dialogue: Dialogue) -> Dialogue:
    """Return the dialogue with the published keys and, if it is marked, the mark."""
    bare = without_extra(dialogue)
    if not is_synthetic(dialogue):
        return bare
    value = (dialogue.extra or {})[SYNTHETIC]
    return msgspec.structs.replace(bare, extra={SYNTHETIC: value})


def count_synthetic(dialogues: Sequence[Dialogue]) -> int:
    """Return how many of the dialogues are marked as made."""
    return sum(map(is_synthetic, dialogues))
