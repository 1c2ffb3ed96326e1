"""SCAN's scores over all pairs at once equal its equations in loops, whatever the memory bound."""

import itertools

import pytest
import torch
from torch.nn import functional as F

from modeling.retrieval.scan_scores import Attention, scan_scores
from tests.modeling.retrieval.loops import scan_score_of_pair

WAYS = list(itertools.product(["t-i", "i-t"], ["avg", "lse"]))
LENGTHS = (3, 1, 5, 2)


def scene(seed=0, pictures=3, regions=4, width=6):
    """Return words, their mask and regions, with rubbish where there is padding."""
    source = torch.Generator().manual_seed(seed)
    words = F.normalize(torch.randn(len(LENGTHS), 5, width, generator=source), dim=2)
    mask = torch.arange(5) < torch.tensor(LENGTHS)[:, None]
    return (
        words,
        mask.long(),
        F.normalize(torch.randn(pictures, regions, width, generator=source), dim=2),
    )


@pytest.mark.parametrize(("direction", "pooling"), WAYS)
def test_scores_equal_the_equations_pair_by_pair_padding_included(direction, pooling):
    words, mask, regions = (t.double() if t.is_floating_point() else t for t in scene())
    found = scan_scores(words, mask, regions, Attention(direction, pooling, 9.0, 6.0))
    for i, length in enumerate(LENGTHS):
        for j in range(len(regions)):
            expected = scan_score_of_pair(
                words[i, :length], regions[j], direction, pooling, 9.0, 6.0
            )
            assert found[i, j].item() == pytest.approx(expected.item(), abs=1e-6)


@pytest.mark.parametrize("memory", [1, 2_000, 10**9])
@pytest.mark.parametrize("direction", ["t-i", "i-t"])
def test_the_memory_bound_changes_nothing(direction, memory):
    words, mask, regions = scene(pictures=7)
    attention = Attention(direction, "lse")
    torch.testing.assert_close(
        scan_scores(words, mask, regions, attention, memory=memory),
        scan_scores(words, mask, regions, attention),
        atol=1e-5,
        rtol=0,
    )


@pytest.mark.parametrize(("direction", "pooling"), WAYS)
def test_an_empty_text_and_regions_of_zeros_give_numbers_and_gradients(direction, pooling):
    words, mask, regions = scene()
    mask[1] = 0
    regions[0] = 0
    words.requires_grad_()
    scores = scan_scores(words, mask, regions, Attention(direction, pooling))
    scores.sum().backward()
    assert torch.isfinite(scores).all()
    assert torch.isfinite(words.grad).all()


def test_no_texts_or_no_pictures_give_an_empty_table():
    words, mask, regions = scene()
    assert scan_scores(words[:0], mask[:0], regions).shape == (0, 3)
    assert scan_scores(words, mask, regions[:0]).shape == (4, 0)
