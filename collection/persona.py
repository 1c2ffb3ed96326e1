"""A random name and relationship for one of the people on a photo (section 3.2)."""

from __future__ import annotations

import random
from collections.abc import Sequence

from photochat.description import Description, Persona, format_description
from photochat.themes import themes_of

_ANY = ("friend", "cousin", "neighbor", "coworker", "classmate", "friend's friend")
_RELATIONSHIPS: dict[str, tuple[str, ...]] = {
    "Woman": ("mom", "sister", "aunt", "grandma", "friend", "cousin", "neighbor", "coworker"),
    "Man": ("dad", "brother", "uncle", "grandpa", "friend", "cousin", "neighbor", "coworker"),
    "Girl": ("daughter", "niece", "little sister", "friend's daughter", "granddaughter"),
    "Boy": ("son", "nephew", "little brother", "friend's son", "grandson"),
}
_FEMALE = (
    "Hannah", "Amina", "Chloe", "Divya", "Elena", "Grace", "Ingrid", "Julia", "Keiko", "Leila",
    "Maria", "Nora", "Olivia", "Priya", "Rosa", "Sofia", "Tessa", "Valeria", "Yara", "Zoe",
)  # fmt: skip
_MALE = (
    "Aaron", "Bilal", "Carlos", "Daniel", "Emeka", "Felix", "George", "Hiroshi", "Ivan", "Jonas",
    "Kofi", "Liam", "Mateo", "Noah", "Omar", "Pavel", "Rahul", "Samuel", "Tomas", "Victor",
)  # fmt: skip
_NAMES = {"Woman": _FEMALE, "Girl": _FEMALE, "Man": _MALE, "Boy": _MALE}


def describe(labels: Sequence[str], draw: random.Random) -> str:
    """Return the line that comes with a photo: with a persona if its labels name people."""
    return format_description(Description(tuple(labels), draw_persona(labels, draw)))


def draw_persona(labels: Sequence[str], draw: random.Random) -> Persona | None:
    """Draw a name and a relationship for one of the people; None when there are none.

    Which one: any of the people labels that tell whether it is a woman, man, girl or boy, else
    ("Face", "Human body") anybody.
    """
    if "people" not in themes_of(labels):
        return None
    label = draw.choice(sorted(set(labels) & set(_RELATIONSHIPS)) or ["Face"])
    relationship = draw.choice(_RELATIONSHIPS.get(label, _ANY))
    return Persona(relationship, draw.choice(_NAMES.get(label, _FEMALE + _MALE)))
