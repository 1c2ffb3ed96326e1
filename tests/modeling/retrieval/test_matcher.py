"""What representations of parts become together."""

import torch

from modeling.retrieval.matcher import Matcher, joined


def test_parts_are_put_together_and_shorter_ones_filled_with_zeros():
    parts = [
        {"vector": torch.ones(2, 3), "words": torch.ones(2, 4, 5), "mask": torch.ones(2, 4) > 0},
        {"vector": torch.ones(1, 3), "words": torch.ones(1, 2, 5), "mask": torch.ones(1, 2) > 0},
    ]
    whole = joined(parts)
    assert [tuple(t.shape) for t in whole.values()] == [(3, 3), (3, 4, 5), (3, 4)]
    assert whole["mask"].tolist()[2] == [True, True, False, False]
    assert float(whole["words"][2].sum()) == 10


def test_scores_of_vectors_are_their_products():
    vectors = torch.nn.functional.normalize(torch.randn(3, 4), dim=1)
    scores = Matcher().scores({"vector": vectors}, {"vector": vectors})
    assert torch.allclose(scores.diagonal(), torch.ones(3))
