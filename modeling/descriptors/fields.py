"""The five descriptors of a photo that nobody has seen yet, and what they are as text.

VisualDialog (Findings of ACL 2024, 700) has a language model name them; the CLIP report's prompt
does the same (main subject, prominent objects in the foreground, background scene, events,
materials and attributes).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from photochat.dialogue import Utterance

MAX_CHARS = 200  # ours, of one field: longer text would not fit CLIP's 77 tokens anyway
UNKNOWN = ("", "unknown", "none", "n/a", "na", "not mentioned", "not specified", "nothing")

Field = Annotated[str, msgspec.Meta(max_length=MAX_CHARS)]


class Descriptors(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the talk lets expect of the photo; several things in a field stand between commas."""

    main_subject: Field
    foreground_objects: Field
    background_scene: Field
    events: Field
    materials_and_attributes: Field


# How each field is called in a sentence, in the order of VisualDialog.
NAMES = {
    "main_subject": "main subject",
    "foreground_objects": "prominent objects in the foreground",
    "background_scene": "background scene",
    "events": "events",
    "materials_and_attributes": "materials and attributes",
}
_PLURAL = ("foreground_objects", "events", "materials_and_attributes")


def descriptor_texts(descriptors: Descriptors) -> tuple[str, ...]:
    """Return a sentence a field, "the K of the photo is V"; fields that say nothing have none.

    >>> descriptor_texts(Descriptors("a dog", "unknown", "beach", "", ""))
    ('the main subject of the photo is a dog', 'the background scene of the photo is beach')
    """
    texts = []
    for field, name in NAMES.items():
        value = " ".join(getattr(descriptors, field).split()).rstrip(".")
        if value.lower() not in UNKNOWN:
            texts.append(f"the {name} of the photo {'are' if field in _PLURAL else 'is'} {value}")
    return tuple(texts)


def descriptor_text(descriptors: Descriptors) -> str:
    """Return all that the descriptors say as one text; empty when they say nothing."""
    return ". ".join(descriptor_texts(descriptors))


def talk_text(turns: Sequence[Utterance], sharer: int) -> str:
    """Return the turns before the share a line each; A is who will share, whatever the ids."""
    return "\n".join(
        f"{'A' if turn.user_id == sharer else 'B'}: {' '.join(turn.text.split())}" for turn in turns
    )
