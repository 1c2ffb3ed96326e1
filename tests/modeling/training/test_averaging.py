"""The running average of a model's weights."""

import pytest
import torch

from modeling.training.averaging import WeightAverage


def test_the_average_forgets_the_start_and_follows_the_weights():
    model = torch.nn.Linear(1, 1, bias=False)
    own = model.weight
    torch.nn.init.zeros_(own)
    average = WeightAverage(model, 0.5)
    expected = 0.0
    for step, value in enumerate([8.0, 4.0, 2.0, 6.0, 1.0], start=1):
        torch.nn.init.constant_(own, value)
        average.update(step)
        kept = min(0.5, step / (step + 3))  # 1/4, 2/5, 1/2, 1/2, ...
        expected = kept * expected + (1 - kept) * value
    with average.in_place():
        assert float(own.detach()) == pytest.approx(expected)
    assert float(own.detach()) == 1.0
    other = WeightAverage(model, 0.5)
    other.load_state_dict(average.state_dict())
    with other.in_place():
        assert float(own.detach()) == pytest.approx(expected)
