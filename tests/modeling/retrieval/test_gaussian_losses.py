"""PCME's losses equal their formulas in loops; what is drawn follows the seed and the Gaussians."""

import math

import pytest
import torch

from modeling.retrieval.gaussian_losses import divergence, drawn, soft_contrastive, uniformity
from modeling.retrieval.identity_losses import same_identity
from modeling.retrieval.pcme import GaussianHead
from tests.modeling.retrieval import loops

IDENTITIES = [4, 7, 4, 9, 7]
SLOPE, SHIFT = torch.tensor(1.7, dtype=torch.float64), torch.tensor(4.0, dtype=torch.float64)


def gaussians(seed, items=5, width=6):
    source = torch.Generator().manual_seed(seed)
    return torch.randn(2, items, width, generator=source, dtype=torch.float64)


def test_losses_equal_their_formulas_with_several_photos_right():
    torch.manual_seed(0)
    queries, photos = (drawn(*gaussians(seed), 7) for seed in (1, 2))
    right = same_identity(torch.tensor(IDENTITIES))
    found = soft_contrastive(queries, photos, right, SLOPE, SHIFT)
    expected = loops.soft_contrastive_of(queries, photos, IDENTITIES, SLOPE, SHIFT)
    assert found.item() == pytest.approx(expected, abs=1e-6)
    mean, log_variance = gaussians(3)
    assert divergence(mean, log_variance).item() == pytest.approx(
        loops.divergence_of(mean, log_variance), abs=1e-6
    )
    vectors = mean / 3
    pairs = [
        math.exp(-2 * sum((a - b) ** 2 for a, b in zip(vectors[i], vectors[j], strict=True)))
        for i in range(5)
        for j in range(i)
    ]
    assert uniformity(vectors).item() == pytest.approx(sum(pairs) / len(pairs), abs=1e-6)


def test_distances_far_apart_give_finite_losses_and_gradients():
    queries = torch.zeros(2, 7, 4, requires_grad=True)
    photos = torch.full((2, 7, 4), 1e3, requires_grad=True)
    loss = soft_contrastive(queries, photos, torch.eye(2), torch.tensor(5.0), torch.tensor(5.0))
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(queries.grad).all()


def test_what_is_drawn_follows_mean_variance_and_seed():
    mean, log_variance = gaussians(0)
    torch.manual_seed(5)
    found = drawn(mean, log_variance, 20_000)
    torch.testing.assert_close(found.mean(1), mean, atol=0.1, rtol=0)
    torch.testing.assert_close(found.var(1), log_variance.exp(), atol=0, rtol=0.1)
    torch.manual_seed(5)
    assert torch.equal(drawn(mean, log_variance, 20_000), found)


def test_the_head_equals_its_steps_in_loops_and_padding_changes_nothing():
    torch.manual_seed(0)
    head = GaussianHead(8, 6).double()
    parts = torch.randn(2, 5, 8, dtype=torch.float64)
    mask = torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]]).bool()
    mean, log_variance = head(parts, mask)
    for item, length in enumerate((3, 5)):
        expected = loops.gaussian_of(head, parts[item, :length])
        torch.testing.assert_close(mean[item], expected[0], atol=1e-6, rtol=0)
        torch.testing.assert_close(log_variance[item], expected[1], atol=1e-6, rtol=0)
