"""How many places are offered, and how they are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collection.recruiting.pace import cut, places_to_offer

counts = st.integers(0, 10_000)


@given(counts, counts, counts, st.none() | st.integers(2, 1000))
def test_never_more_than_the_photos_need(left, open_places, waiting, at_once):
    """Two places a conversation, those open counted."""
    places = places_to_offer(left, open_places, waiting, at_once)
    assert places >= 0
    assert places == 0 or places + open_places <= 2 * left
    if at_once is None:
        assert places + open_places >= 2 * left


@given(counts, counts, counts, st.integers(2, 1000))
def test_a_pace_leaves_nobody_waiting_for_a_partner(left, open_places, waiting, at_once):
    """Those who wait count beside those who are to come."""
    total = open_places + places_to_offer(left, open_places, waiting, at_once)
    assert total <= max(open_places, at_once, 2 * waiting)
    assert total >= min(2 * left, max(at_once, 2 * waiting))


@given(st.integers(0, 5000), st.integers(1, 50))
def test_postings_are_equal_and_never_too_large(places, most):
    """Nine at most, so that the dearer fee is not due."""
    sizes = cut(places, most)
    assert sum(sizes) == places
    assert all(1 <= size <= most for size in sizes)
    assert len(sizes) == -(-places // most)
    assert max(sizes, default=0) - min(sizes, default=0) <= 1


@pytest.mark.parametrize(("places", "sizes"), [(40, [8] * 5), (9, [9]), (10, [5, 5]), (1, [1])])
def test_examples(places, sizes):
    """Ten places are two postings of five."""
    assert cut(places, 9) == sizes
