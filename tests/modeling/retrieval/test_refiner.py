"""DiaNA's refiner and losses equal their formulas in loops, padding included."""

import pytest
import torch
from torch.nn import functional as F

from modeling.retrieval.identity_losses import itc, same_identity, sdm
from modeling.retrieval.refiner import Refiner, slot_scores
from tests.modeling.retrieval import loops

IDENTITIES = [4, 7, 4, 9, 7]


def test_attributes_equal_their_steps_in_loops_and_padding_changes_nothing():
    torch.manual_seed(0)
    refiner = Refiner(slots=3, width=8, heads=2).double()
    tokens = torch.randn(2, 5, 8, dtype=torch.float64)
    mask = torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]])
    found = refiner(tokens, mask)
    for item, length in enumerate((3, 5)):
        expected = loops.refined(refiner, tokens[item, :length])
        torch.testing.assert_close(found[item], expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(refiner(tokens)[1], found[1])
    assert torch.isfinite(refiner(tokens, torch.zeros(2, 5))).all()


def test_the_score_is_the_mean_of_the_slots_cosines():
    torch.manual_seed(0)
    queries, photos = (F.normalize(torch.randn(n, 3, 4), dim=2) for n in (2, 5))
    found = slot_scores(queries, photos)
    for i in range(2):
        for j in range(5):
            cosines = [torch.dot(queries[i, k], photos[j, k]).item() for k in range(3)]
            assert found[i, j].item() == pytest.approx(sum(cosines) / 3, abs=1e-6)


def test_losses_equal_their_formulas_with_several_photos_right():
    torch.manual_seed(0)
    scores = 5 * torch.randn(5, 5, dtype=torch.float64)
    right = same_identity(torch.tensor(IDENTITIES)).double()
    assert itc(scores, right).item() == pytest.approx(
        loops.itc_of(scores, IDENTITIES).item(), abs=1e-6
    )
    assert sdm(scores, right).item() == pytest.approx(
        loops.sdm_of(scores, IDENTITIES).item(), abs=1e-6
    )
