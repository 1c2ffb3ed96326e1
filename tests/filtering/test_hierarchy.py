"""The class hierarchy: what is a kind of what."""

from __future__ import annotations

import pytest

from filtering.class_table import class_table
from filtering.filter import Inputs
from filtering.hierarchy import ROOT, ancestors_of, depth_of, descendants_of, parents_in
from filtering.open_images import read_classes, read_hierarchy
from photochat.themes import THEME_LABELS
from tests.filtering.files import ANIMAL, DOG, FACE, HIERARCHY, MAN, PERSON


def test_subcategories_are_kinds_and_parts_are_not() -> None:
    """A Dog is an Animal and a Man a Person; a face, part of a body, is a kind of nothing."""
    parents = parents_in(HIERARCHY)
    assert ancestors_of(DOG, parents) == {"/m/04rky", ANIMAL}
    assert ancestors_of(MAN, parents) == {PERSON}
    assert ancestors_of(FACE, parents) == frozenset()
    assert descendants_of(ANIMAL, parents) == {"/m/04rky", DOG}
    assert depth_of(DOG, parents) == 3


def test_class_with_two_parents_is_a_kind_of_both() -> None:
    """Classes that stand twice in the tree have all their ancestors."""
    twice = {"LabelName": "/m/x"}
    tree = {
        "LabelName": ROOT,
        "Subcategory": [
            {"LabelName": "/m/a", "Subcategory": [twice]},
            {"LabelName": "/m/b", "Subcategory": [twice]},
        ],
    }
    assert ancestors_of("/m/x", parents_in(tree)) == {"/m/a", "/m/b"}


def test_class_that_is_a_kind_of_itself_is_refused() -> None:
    """A circle would make every class of it an ancestor of itself."""
    inner = {"LabelName": "/m/a"}
    tree = {"LabelName": ROOT, "Subcategory": [{"LabelName": "/m/a", "Subcategory": [inner]}]}
    with pytest.raises(ValueError, match="kind of itself"):
        parents_in(tree)


def test_published_hierarchy(real_open_images: Inputs) -> None:
    """All of Table 5 is in it, people are no animals, and a descendant stands before its kind."""
    assert real_open_images.hierarchy is not None
    parents = read_hierarchy(real_open_images.hierarchy)
    names = read_classes(real_open_images.classes)
    assert ROOT not in parents
    assert {label.class_id for label in THEME_LABELS} <= parents.keys()
    assert all(names[label.class_id] == label.name for label in THEME_LABELS)
    assert MAN not in descendants_of(ANIMAL, parents)
    table = class_table(names, parents)
    for class_id in table.ids:
        own = table.labels.index(names[class_id].removeprefix("Human ").capitalize()) if names[
            class_id
        ].startswith("Human ") and names[class_id] != "Human body" else table.labels.index(
            names[class_id]
        )  # fmt: skip
        number = table.ids.index(class_id)
        start, end = table.labels_of.starts[number : number + 2]
        assert table.labels_of.values[start] == own
        assert end - start == 1 + len(ancestors_of(class_id, parents))
