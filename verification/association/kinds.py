"""What else a label may be called: the Open Images classes above and below it, and plurals.

`learned/kinds.json` lists the direct parents of each class of the published hierarchy (Open Images
V4, CC BY 4.0) by the names that the release uses.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources

import msgspec

from photochat.themes import release_name

LEARNED = resources.files("verification") / "learned"

_PIECE = re.compile(r"[^\W\d_]+")
# Parts of names that say nothing by themselves: "Moths and butterflies", "Personal care".
_EMPTY = frozenset({"and", "of", "the", "other", "personal", "human", "equipment", "good", "goods"})
# Classes so wide that to name what is below them says nothing about the photo.
_WIDE = frozenset({"Entity", "Furniture", "Clothing", "Food", "Tool", "Building"})


@lru_cache(maxsize=1)
def parents() -> dict[str, tuple[str, ...]]:
    """Return the direct parents of each class, by release name."""
    text = (LEARNED / "kinds.json").read_bytes()
    return msgspec.json.decode(text, type=dict[str, tuple[str, ...]])


@lru_cache(maxsize=4096)
def names_of(label: str) -> frozenset[str]:
    """Return the words that name a label, in lower case: "Coffee cup" -> coffee, cup."""
    words = {piece.lower() for piece in _PIECE.findall(label)}
    words |= {word[:-1] for word in words if word.endswith("s") and len(word) > 3}
    return frozenset(words - _EMPTY)


@lru_cache(maxsize=4096)
def kin_of(label: str) -> frozenset[str]:
    """Return the words that name the classes below a label and right above it, its own left out.

    A talk about a dog speaks of a photo labelled Animal, and a talk about pets of one labelled Dog.
    """
    label = release_name(label)
    table = parents()
    near = {parent for parent in table.get(label, ()) if parent not in _WIDE}
    below: set[str] = set()
    pending = [label]
    while pending:
        above = pending.pop()
        children = {name for name, direct in table.items() if above in direct} - below
        below |= children
        pending += children
    return frozenset().union(*(names_of(name) for name in near | below)) - names_of(label)
