"""The sentence that comes with a photo, written and parsed by one pair of functions.

"The photo has your dad Mark. Objects in the photo: Man, Cake" (section 3.2 and the release): the
first sentence is there only when the photo shows people and one of them was given a name and a
relationship to the sharer.
"""

from __future__ import annotations

import re

import msgspec

_PATTERN = re.compile(
    r"(?:The photo has your (?P<person>[^\n]+?)\. )?Objects in the photo: ?(?P<objects>[^\n]*)"
)
_PERSON = re.compile(r"(?P<relationship>.+) (?P<name>\S+)")


class Persona(msgspec.Struct, frozen=True):
    """One of the people on the photo, seen from the sharer: ("friend's daughter", "Harmoni")."""

    relationship: str
    name: str


class Description(msgspec.Struct, frozen=True):
    """What the sharer is told of the photo: its object labels, and perhaps who is on it."""

    objects: tuple[str, ...]
    persona: Persona | None = None


def format_description(description: Description) -> str:
    """Write a description as the release does; `parse_description` reads it back."""
    objects = "Objects in the photo: " + ", ".join(description.objects)
    persona = description.persona
    if persona is None:
        return objects
    return f"The photo has your {persona.relationship} {persona.name}. {objects}"


def parse_description(text: str) -> Description | None:
    """Read a `photo_description`; None when it is not of the release's form."""
    match = _PATTERN.fullmatch(text)
    if match is None:
        return None
    objects = match["objects"]
    labels = tuple(objects.split(", ")) if objects.strip() else ()
    if match["person"] is None:
        return Description(labels)
    person = _PERSON.fullmatch(match["person"])
    if person is None:
        return None
    return Description(labels, Persona(person["relationship"], person["name"]))
