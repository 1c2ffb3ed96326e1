"""Recurrent readers: padding changes nothing, and a text's state is its last word's."""

import pytest
import torch

from modeling.retrieval.scan import Scan
from modeling.retrieval.scan_scores import Attention
from modeling.retrieval.vsepp import VsePlusPlus
from modeling.retrieval.word_gru import WordGru, last_states

IDS = torch.tensor([[3, 4, 5, 0], [6, 0, 0, 0], [0, 0, 0, 0]])
MASK = torch.tensor([[1, 1, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0]])


@pytest.mark.parametrize("both_ways", [False, True])
def test_a_text_is_read_as_if_it_were_alone(both_ways):
    torch.manual_seed(0)
    reader = WordGru(9, 5, word_width=4, both_ways=both_ways)
    states = reader(IDS, MASK)
    alone = reader(IDS[:1, :3], MASK[:1, :3])
    torch.testing.assert_close(states[0, :3], alone[0])
    assert states[0, 3:].abs().sum() == 0
    torch.testing.assert_close(last_states(states, MASK)[1], states[1, 0])
    assert torch.isfinite(states).all()


def test_directions_are_averaged():
    torch.manual_seed(0)
    reader = WordGru(9, 5, word_width=4, both_ways=True)
    raw, _ = reader.gru(reader.words(IDS[:1, :3]))
    torch.testing.assert_close(reader(IDS[:1, :3], MASK[:1, :3]), (raw[..., :5] + raw[..., 5:]) / 2)


def test_vsepp_gives_vectors_of_length_one():
    model = VsePlusPlus(torch.nn.Flatten(), 12, 9, width=6)
    talks, photos = model({"ids": IDS, "mask": MASK}, {"pixels": torch.rand(2, 3, 2, 2)})
    scores = model.scores(talks, photos)
    assert scores.shape == (3, 2)
    assert scores.abs().max() <= 1 + 1e-6
    torch.testing.assert_close(talks["vector"].norm(dim=1), torch.ones(3))


def test_scan_compares_words_with_given_regions():
    model = Scan(None, 7, 9, width=6, attention=Attention("i-t", "lse", 4.0, 5.0))
    talks, photos = model({"ids": IDS, "mask": MASK}, {"regions": torch.rand(2, 5, 7)})
    assert model.scores(talks, photos).shape == (3, 2)
    model.scores(talks, photos).sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())
