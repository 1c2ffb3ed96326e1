"""`read_ahead`: the same items in the same order, and errors where they happen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filtering.read_ahead import read_ahead


@given(st.lists(st.integers(), max_size=20), st.integers(1, 5))
def test_items_come_in_order(items: list[int], ahead: int) -> None:
    """Reading ahead changes nothing but the time."""
    assert list(read_ahead(iter(items), ahead)) == items


def test_error_is_raised_after_the_items_before_it() -> None:
    """What the iterator raises reaches the reader, in its place."""

    def failing() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("here")

    reader = read_ahead(failing())
    assert [next(reader), next(reader)] == [1, 2]
    with pytest.raises(ValueError, match="here"):
        next(reader)


def test_reader_that_stops_early_leaves_no_work_behind() -> None:
    """At most the items ahead have been made when the reader closes."""
    made = []

    def counting() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    reader = read_ahead(counting(), 3)
    assert next(reader) == 0
    reader.close()  # type: ignore[attr-defined]
    assert len(made) <= 5
