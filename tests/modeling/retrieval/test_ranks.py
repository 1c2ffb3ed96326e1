"""Ranks by counting equal ranks by sorting, whatever the block, the ties and the missing."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from modeling.metrics import rank_of
from modeling.retrieval.ranks import NONE, best_photos, ranks_of


def literal_ranks(row, right, available):
    """Sort by score, wrong photos before right ones of the same score; read off the places."""
    scored = [
        (-(score if there else -np.inf), photo in right, photo)
        for photo, (score, there) in enumerate(zip(row, available, strict=True))
    ]
    order = [photo for _, _, photo in sorted(scored)]
    return sorted(order.index(photo) + 1 for photo in right)


@st.composite
def tasks(draw, most=20):
    photos = draw(st.integers(1, 24))
    queries = draw(st.integers(1, 6))
    scores = draw(
        st.lists(
            st.lists(st.integers(-3, 3), min_size=photos, max_size=photos),
            min_size=queries,
            max_size=queries,
        )
    )
    right = [
        draw(st.lists(st.integers(0, photos - 1), min_size=1, max_size=most, unique=True))
        for _ in range(queries)
    ]
    available = draw(st.lists(st.booleans(), min_size=photos, max_size=photos))
    return scores, right, available, draw(st.integers(1, 60))


@settings(deadline=None)
@given(tasks())
def test_ranks_equal_those_of_a_sorted_list(task):
    scores, right, available, cells = task
    width = max(map(len, right))
    table = torch.tensor([own + [NONE] * (width - len(own)) for own in right])
    block = torch.tensor(scores, dtype=torch.float32)
    found = ranks_of(
        lambda part: block[part],
        table,
        block.shape[1],
        available=torch.tensor(available),
        cells=cells,
    )
    for row, own, ranks in zip(scores, right, found.tolist(), strict=True):
        expected = literal_ranks(row, own, available)
        assert ranks == expected + [NONE] * (width - len(own))


@settings(deadline=None)
@given(tasks(most=1))
def test_one_right_photo_is_ranked_as_bm25_ranks(task):
    scores, right, _, cells = task
    block = torch.tensor(scores, dtype=torch.float32)
    gold = torch.tensor([own[0] for own in right])
    found = ranks_of(lambda part: block[part], gold, block.shape[1], cells=cells)
    assert found.tolist() == [
        rank_of(np.array(row, dtype=float), own[0]) for row, own in zip(scores, right, strict=True)
    ]


def test_a_photo_without_a_picture_comes_last_even_when_its_score_is_best():
    block = torch.tensor([[9.0, 1.0, 2.0]])
    available = torch.tensor([False, True, True])
    assert ranks_of(lambda part: block[part], torch.tensor([0]), 3, available=available) == [3]
    assert ranks_of(lambda part: block[part], torch.tensor([2]), 3, available=available) == [1]


def test_equal_photos_tie_though_their_products_differ_in_the_last_bits():
    """The same vector at every column gives the worst rank, whatever the matrix product does."""
    source = torch.Generator().manual_seed(0)
    queries = torch.nn.functional.normalize(torch.randn(37, 384, generator=source), dim=1)
    photos = torch.nn.functional.normalize(torch.randn(1, 384, generator=source), dim=1)
    photos = photos.repeat(251, 1)
    gold = torch.arange(37) * 6
    found = ranks_of(lambda part: queries[part] @ photos.T, gold, 251, cells=1000)
    assert (found == 251).all()


def test_scores_that_are_no_numbers_find_nothing():
    block = torch.full((2, 5), torch.nan)
    assert ranks_of(lambda part: block[part], torch.tensor([0, 3]), 5).tolist() == [5, 5]


def test_no_queries_have_no_ranks():
    assert ranks_of(lambda part: torch.zeros(0, 5), torch.zeros(0, dtype=torch.long), 5).size == 0


MEMORY = """
import resource, torch
from modeling.retrieval.ranks import ranks_of

for size in (2_000, 12_000):
    vectors = torch.nn.functional.normalize(torch.randn(size, 8), dim=1)
    ranks_of(lambda part: vectors[part] @ vectors.T, torch.arange(size), size, cells=2**21)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)  # kilobytes
"""


def test_peak_memory_does_not_grow_with_the_product():
    """A product of 560 MB more, in blocks of 8 MB: the peak stays about where it was."""
    run = [sys.executable, "-c", MEMORY]
    small, large = subprocess.run(run, capture_output=True, check=True).stdout.split()
    assert int(large) - int(small) < 60_000


def test_the_best_photos_are_the_highest_scores_and_never_missing_ones():
    scores = torch.tensor([[0.1, 0.9, 0.5, 0.7]])
    values, places = best_photos(scores, 3, torch.tensor([True, False, True, True]))
    assert places.tolist() == [[3, 2, 0]]
    assert values.tolist()[0] == pytest.approx([0.7, 0.5, 0.1])
    assert best_photos(scores, 4, torch.tensor([True, False, True, True]))[1].shape == (1, 3)
    assert best_photos(scores, 10)[1].shape == (1, 4)
