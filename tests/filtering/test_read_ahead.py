"""`read_ahead`: the same items in the same order, and errors where they happen."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filtering.read_ahead import read_ahead


@given(st.lists(st.integers(), max_size=20), st.integers(1, 5))
def test_items_come_in_order(items: list[int], ahead: int) -> None:
    """Reading ahead changes nothing but the time."""
    with read_ahead(iter(items), ahead) as coming:
        assert list(coming) == items


def test_error_is_raised_after_the_items_before_it() -> None:
    """What the iterator raises reaches the reader, in its place."""

    def failing() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("here")

    with read_ahead(failing()) as coming:
        assert [next(coming), next(coming)] == [1, 2]
        with pytest.raises(ValueError, match="here"):
            next(coming)


def test_reader_that_stops_early_leaves_no_work_behind() -> None:
    """At most the items ahead have been made when the reader leaves, and its thread has ended."""
    made = []

    def counting() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    with read_ahead(counting(), 3) as coming:
        assert next(coming) == 0
    assert len(made) <= 5
    assert not [t for t in threading.enumerate() if t.name.startswith("read-ahead")]
