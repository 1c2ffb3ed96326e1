"""The SQL against the pure rules, on random boxes and right at the thresholds."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filtering.class_table import class_table
from filtering.geometry import (
    BORDER_MARGIN,
    MIN_SIDE,
    SIZE_RULES,
    SizeRule,
    is_at_margin,
    is_main_object,
    is_too_small,
)
from filtering.hierarchy import parents_in
from filtering.query import KEEP, Keep, Rules, selection_sql
from tests.filtering.files import CAKE, CLASSES, DOG, FACE, HIERARCHY, LIGHT, MAN, PERSON

TABLE = class_table(CLASSES, parents_in(HIERARCHY))
PEOPLE, OTHERS, NEITHER = {MAN, FACE}, {CAKE, DOG}, {LIGHT, PERSON}

# Where the rules turn: side 0.3, centre 0.1 and 0.9, as sums and differences that round either way.
EDGES = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.35, 0.4, 0.5, 0.6, 0.65, 0.7, 0.8, 0.9, 1.0)
ends = st.tuples(*[st.one_of(st.sampled_from(EDGES), st.floats(0, 1))] * 2).map(sorted)
boxes = st.tuples(
    ends,
    ends,
    st.sampled_from(sorted(PEOPLE | OTHERS | NEITHER)),
    *[st.sampled_from([-1, 0, 1])] * 2,
)


def select(
    rules: Rules, rows: Sequence[tuple[Sequence[float], Sequence[float], str, int, int]]
) -> list[tuple[bool, ...]]:
    """Run the query over boxes; return in_frame, at_margin, too_small, excluded, qualifies."""
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE boxes (image_id VARCHAR, class_number INTEGER, x_min DOUBLE,"
            " x_max DOUBLE, y_min DOUBLE, y_max DOUBLE, is_occluded TINYINT, is_truncated TINYINT,"
            " is_group_of TINYINT, is_depiction TINYINT, is_inside TINYINT, place BIGINT)"
        )
        connection.executemany(
            "INSERT INTO boxes VALUES ('i', ?, ?, ?, ?, ?, 0, 0, ?, ?, 0, ?)",
            [
                (TABLE.ids.index(class_id), *x, *y, group_of, depiction, place)
                for place, (x, y, class_id, group_of, depiction) in enumerate(rows)
            ],
        )
        return connection.execute(
            "SELECT in_frame, at_margin, too_small, excluded, qualifies"
            f" FROM ({selection_sql(rules, TABLE, with_image_labels=False)}) ORDER BY place"
        ).fetchall()


@settings(deadline=None)  # the first example opens a database
@given(
    st.lists(boxes, min_size=1, max_size=20),
    st.sampled_from(SIZE_RULES),
    st.sampled_from(KEEP),
    st.sampled_from(KEEP),
)
def test_query_says_what_the_pure_rules_say(
    rows: list[tuple[list[float], list[float], str, int, int]],
    size: SizeRule,
    group_of: Keep,
    depictions: Keep,
) -> None:
    """Whatever the boxes and options, SQL and `filtering.geometry` agree on every verdict."""
    verdicts = select(Rules(size=size, group_of=group_of, depictions=depictions), rows)
    for (x, y, class_id, group, depiction), verdict in zip(rows, verdicts, strict=True):
        counts = class_id in OTHERS or (class_id in PEOPLE and is_main_object(*x, *y, size))
        dropped = (group_of == "drop" and group == 1) or (depictions == "drop" and depiction == 1)
        assert verdict == (
            True,
            is_at_margin(*x, *y),
            is_too_small(*x, *y, size),
            counts and dropped,
            counts and not dropped,
        )


@pytest.mark.parametrize(
    ("x", "at_margin"), [((0.0, 0.2), True), ((0.8, 1.0), True), ((0.01, 0.2), False)]
)
def test_center_exactly_a_tenth_from_the_border_is_within_it(
    x: tuple[float, float], at_margin: bool
) -> None:
    """Footnote 2 says "within 0.1": a centre exactly there is in the margin, on every side."""
    assert is_at_margin(*x, 0.2, 0.8) is at_margin
    assert is_at_margin(0.2, 0.8, *x) is at_margin
    for box in ((x, (0.2, 0.8)), ((0.2, 0.8), x)):
        assert select(Rules(), [(*box, MAN, 0, 0)])[0][1] is at_margin


def test_side_of_exactly_three_tenths_is_large_enough() -> None:
    """Footnote 3 says "< 0.3": a side of exactly that, as 0 to 0.3, is not too small."""
    assert (BORDER_MARGIN, MIN_SIDE) == (0.1, 0.3)
    assert not is_too_small(0.0, 0.3, 0.2, 0.8)
    assert is_too_small(0.0, 0.299999, 0.2, 0.8)
    assert [row[2] for row in select(Rules(), [((0.0, 0.3), (0.2, 0.8), MAN, 0, 0)])] == [False]


@given(ends, ends)
def test_either_reading_never_drops_what_the_strict_one_keeps(
    x: list[float], y: list[float]
) -> None:
    """The reading "either side" is the looser one."""
    assert is_main_object(*x, *y, "either") or not is_main_object(*x, *y, "both")


@given(ends, ends)
def test_rules_do_not_know_left_from_right_or_width_from_height(
    x: list[float], y: list[float]
) -> None:
    """Turning the image by a quarter changes no verdict."""
    assert is_main_object(*x, *y) == is_main_object(*y, *x)
