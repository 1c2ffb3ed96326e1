"""Every class of the inputs, numbered, with the labels it gives a photo and those that qualify it.

The SQL joins boxes with `ClassTable.to_arrow()`; the assembly of photos reads the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

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

    def to_arrow(self) -> pa.Table:
        """Return the table `classes` that the query joins: class_id, number, people, others."""
        return pa.table(
            {
                "class_id": pa.array(self.ids, pa.string()),
                "number": pa.array(range(len(self.ids)), pa.int32()),
                "people": pa.array(self.people_of.lengths > 0),
                "others": pa.array(self.others_of.lengths > 0),
            }
        )


THEME_OF_LABEL = np.array([THEMES.index(label.theme) for label in THEME_LABELS])
"""For each of `THEME_LABELS`, the place of its theme in `THEMES`."""


def class_table(names: Mapping[str, str], parents: Parents) -> ClassTable:
    """Number the classes in `names` (class id -> Open Images name) and close them over `parents`.

    An ancestor without a description gives no label, but still qualifies if Table 5 has it.
    """
    ids = tuple(sorted(names))
    lineage = {class_id: {class_id} | ancestors_of(class_id, parents) for class_id in ids}
    depth: dict[str, int] = {}
    for class_id in ids:
        label = release_name(names[class_id])
        depth[label] = max(depth.get(label, 0), depth_of(class_id, parents))
    # A descendant is always deeper than its ancestors, so this order puts it before them.
    labels = tuple(sorted(depth, key=lambda label: (-depth[label], label)))
    place = {label: number for number, label in enumerate(labels)}

    def table_5(needs_main: Callable[[str], bool]) -> Ragged:
        wanted = {
            label.class_id: number
            for number, label in enumerate(THEME_LABELS)
            if needs_main(label.theme)
        }
        return Ragged.of([wanted[c] for c in lineage[class_id] if c in wanted] for class_id in ids)

    return ClassTable(
        ids=ids,
        names=tuple(names[class_id] for class_id in ids),
        labels=labels,
        labels_of=Ragged.of(
            {place[release_name(names[c])] for c in lineage[class_id] if c in names}
            for class_id in ids
        ),
        people_of=table_5(lambda theme: theme == "people"),
        others_of=table_5(lambda theme: theme != "people"),
    )
