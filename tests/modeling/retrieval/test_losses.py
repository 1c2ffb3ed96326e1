"""Each loss is its formula of section 6.2, written out in loops; a photo shared twice is no
negative."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from modeling.retrieval.losses import pair_loss


def literal(scores, identities, kind, scale, margin):
    """The three formulas, one pair at a time."""
    n, total = len(scores), 0.0
    for i in range(n):
        others = [j for j in range(n) if identities[j] != identities[i]]
        right = scores[i][i]
        if kind == "cross-entropy":
            for wrong in ([scores[i][j] for j in others], [scores[j][i] for j in others]):
                whole = sum(math.exp(scale * s) for s in (right, *wrong))
                total -= scale * right - math.log(whole)
        else:
            for wrong in ([scores[i][j] for j in others], [scores[j][i] for j in others]):
                hinges = [max(margin - right + s, 0.0) for s in wrong]
                total += sum(hinges) if kind == "sum-of-hinges" else max(hinges, default=0.0)
    return total / n


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 7), st.integers(0, 2**31), st.integers(1, 8))
@pytest.mark.parametrize("kind", ["cross-entropy", "sum-of-hinges", "max-of-hinges"])
def test_a_loss_is_its_formula_in_loops(kind, n, seed, photos):
    source = torch.Generator().manual_seed(seed)
    scores = torch.rand(n, n, generator=source, dtype=torch.float64) * 2 - 1
    identities = torch.randint(photos, (n,), generator=source)
    ours = pair_loss(scores, identities, kind, scale=torch.tensor(14.0), margin=0.2)
    expected = literal(scores.tolist(), identities.tolist(), kind, 14.0, 0.2)
    assert float(ours) == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_pairs_of_one_photo_alone_have_nothing_to_lose_and_no_gradient_that_is_no_number():
    for kind in ("cross-entropy", "sum-of-hinges", "max-of-hinges"):
        scores = torch.zeros(3, 3, requires_grad=True)
        loss = pair_loss(scores, torch.zeros(3), kind, scale=10.0, margin=0.2)
        loss.backward()
        assert float(loss.detach()) == 0
        assert torch.equal(scores.grad, torch.zeros(3, 3))
