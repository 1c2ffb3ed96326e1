"""Every class of the inputs, numbered, with the labels it gives a photo and those that qualify it.

Classes that stand for a people label of Table 5 come first, then those that stand for another of
its labels, then the rest: so the SQL tells them by comparing numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from filtering.hierarchy import Parents, ancestors_of, depth_of
from photochat.themes import THEME_LABELS, THEMES, release_name

UNKNOWN_CLASS = -1  # the number of a class id that no class description names

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Ragged:
    """Lists of numbers, end to end: list i is `values[starts[i]:starts[i + 1]]`."""

    starts: Numbers
    values: Numbers

    @classmethod
    def of(cls, lists: Iterable[Iterable[int]]) -> Ragged:
        """Pack lists; each is sorted."""
        packed = [sorted(numbers) for numbers in lists]
        starts = np.cumsum([0, *map(len, packed)], dtype=np.int64)
        return cls(starts, np.array([n for numbers in packed for n in numbers], dtype=np.int64))

    @property
    def lengths(self) -> Numbers:
        """The length of each list."""
        return np.diff(self.starts)


@dataclass(frozen=True)
class ClassTable:
    """The classes of a run. A class's number is its place in `ids` and `names`.

    `labels` are the release's spellings, most specific first; `labels_of` lists, for each class,
    the places in `labels` of itself and its ancestors. `people_of` and `others_of` list the places
    in `THEME_LABELS` of the Table 5 labels that a box of the class stands for: those that need a
    main object (people), and the others.
    """

    ids: tuple[str, ...]
    names: tuple[str, ...]
    labels: tuple[str, ...]
    labels_of: Ragged
    people_of: Ragged
    others_of: Ragged

    @property
    def people_end(self) -> int:
        """Classes below this number stand for a people label."""
        return int((self.people_of.lengths > 0).sum())

    @property
    def others_start(self) -> int:
        """The first class that stands for another label (it may stand for people too)."""
        return int(((self.people_of.lengths > 0) & (self.others_of.lengths == 0)).sum())

    @property
    def others_end(self) -> int:
        """The end of the classes that stand for another label."""
        return self.others_start + int((self.others_of.lengths > 0).sum())


THEME_OF_LABEL = np.array([THEMES.index(label.theme) for label in THEME_LABELS])
"""For each of `THEME_LABELS`, the place of its theme in `THEMES`."""


def class_table(names: Mapping[str, str], parents: Parents) -> ClassTable:
    """Number the classes in `names` (class id -> Open Images name) and close them over `parents`.

    An ancestor without a description gives no label, but still qualifies if Table 5 has it.
    """
    lineage = {class_id: {class_id} | ancestors_of(class_id, parents) for class_id in names}
    people = {label.class_id: n for n, label in enumerate(THEME_LABELS) if label.theme == "people"}
    others = {label.class_id: n for n, label in enumerate(THEME_LABELS) if label.theme != "people"}

    def part(class_id: str) -> tuple[int, str]:
        stands_for_people = not lineage[class_id].isdisjoint(people)
        stands_for_others = not lineage[class_id].isdisjoint(others)
        if stands_for_people:
            return (1 if stands_for_others else 0), class_id
        return (2 if stands_for_others else 3), class_id

    ids = tuple(sorted(names, key=part))
    depth: dict[str, int] = {}
    for class_id in ids:
        label = release_name(names[class_id])
        depth[label] = max(depth.get(label, 0), depth_of(class_id, parents))
    # A descendant is always deeper than its ancestors, so this order puts it before them.
    labels = tuple(sorted(depth, key=lambda label: (-depth[label], label)))
    place = {label: number for number, label in enumerate(labels)}

    return ClassTable(
        ids=ids,
        names=tuple(names[class_id] for class_id in ids),
        labels=labels,
        labels_of=Ragged.of(
            {place[release_name(names[c])] for c in lineage[i] if c in names} for i in ids
        ),
        people_of=Ragged.of([people[c] for c in lineage[i] if c in people] for i in ids),
        others_of=Ragged.of([others[c] for c in lineage[i] if c in others] for i in ids),
    )
