"""Open Images' class hierarchy: which class is a kind of which.

The published JSON is a tree of nodes `{"LabelName", "Subcategory": [...], "Part": [...]}`. Only
"Subcategory" means "is a kind of"; a "Part" (Human face, under Human body) belongs to the whole but
is no kind of it. A class stands in several places of the tree when it has several parents.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ROOT = "/m/0bl9f"  # "Entity", the root of every version: no label of anything

Parents = Mapping[str, frozenset[str]]
"""The classes that a class is directly a kind of, the root left out."""


def parents_in(tree: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Return the parents of every class in the tree, `ROOT` excluded.

    Raises:
        ValueError: a node has no LabelName, or a class is a kind of itself.
    """
    parents: dict[str, set[str]] = {}
    pending: list[tuple[Any, str | None]] = [(tree, None)]
    while pending:
        node, parent = pending.pop()
        if not isinstance(node, Mapping) or not isinstance(node.get("LabelName"), str):
            raise ValueError("a node without LabelName")
        class_id = node["LabelName"]
        known = parents.setdefault(class_id, set())
        if parent is not None and parent != ROOT:
            known.add(parent)
        pending += [(child, class_id) for child in node.get("Subcategory", ())]
        pending += [(part, None) for part in node.get("Part", ())]
    parents.pop(ROOT, None)
    frozen = {class_id: frozenset(direct) for class_id, direct in parents.items()}
    for class_id in frozen:
        if any(
            class_id in ancestors_of(parent, frozen) for parent in frozen[class_id] - {class_id}
        ):
            raise ValueError(f"{class_id} is a kind of itself")
        if class_id in frozen[class_id]:
            raise ValueError(f"{class_id} is a kind of itself")
    return frozen


def ancestors_of(class_id: str, parents: Parents) -> frozenset[str]:
    """Return everything that `class_id` is a kind of, itself excluded."""
    found: set[str] = set()
    pending = list(parents.get(class_id, ()))
    while pending:
        parent = pending.pop()
        if parent not in found:
            found.add(parent)
            pending += parents.get(parent, ())
    return frozenset(found)


def descendants_of(class_id: str, parents: Parents) -> frozenset[str]:
    """Return every class that is a kind of `class_id`, itself excluded."""
    return frozenset(other for other in parents if class_id in ancestors_of(other, parents))


def depth_of(class_id: str, parents: Parents) -> int:
    """Return the longest way up to the root: 1 for its children and for classes not in the tree."""
    return 1 + max((depth_of(parent, parents) for parent in parents.get(class_id, ())), default=0)
