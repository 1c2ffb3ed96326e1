"""IRRA's words are hidden as it says, and its losses equal their formulas, padding included."""

import pytest
import torch

from modeling.retrieval.clip_towers import load_clip
from modeling.retrieval.irra import Irra
from modeling.retrieval.masked_words import KEPT, CrossEncoder, hidden, told, words_head
from modeling.retrieval.settings import IrraSettings, RetrievalSettings
from tests.modeling.retrieval import loops
from tests.modeling.retrieval.test_clip import batch_of, tiny_transformers

MASK, OTHERS = 99, torch.arange(200, 300)


def test_words_are_hidden_in_the_shares_that_were_published_and_as_the_seed_says():
    ids = torch.arange(1, 41).repeat(2000, 1)
    words = torch.ones_like(ids).bool()
    words[:, 30:] = False
    torch.manual_seed(3)
    shown, wanted = hidden(ids, words, MASK, OTHERS)
    torch.manual_seed(3)
    assert all(
        torch.equal(one, other)
        for one, other in zip(hidden(ids, words, MASK, OTHERS), (shown, wanted), strict=True)
    )
    chosen = wanted != KEPT
    assert not chosen[:, 30:].any()
    assert chosen.any(1).all()
    assert torch.equal(wanted[chosen], ids[chosen])
    assert torch.equal(shown[~chosen], ids[~chosen])
    assert chosen[:, :30].float().mean().item() == pytest.approx(0.15, abs=0.01)
    became = shown[chosen]
    assert (became == MASK).float().mean().item() == pytest.approx(0.8, abs=0.02)
    assert (became >= 200).float().mean().item() == pytest.approx(0.1, abs=0.02)


def test_a_text_hides_one_word_at_least_and_one_without_words_none():
    ids = torch.arange(1, 3).repeat(500, 1)
    words = torch.tensor([[True, False]]).repeat(500, 1)
    words[-1] = False
    _, wanted = hidden(ids, words, MASK, OTHERS)
    assert (wanted != KEPT).sum(1).tolist() == [1] * 499 + [0]


def test_words_told_from_a_picture_equal_their_steps_in_loops_and_padding_changes_nothing():
    torch.manual_seed(0)
    encoder, head = CrossEncoder(8, 2, 2).double(), words_head(8, 11).double()
    words, picture = (torch.randn(2, n, 8, dtype=torch.float64) for n in (5, 4))
    mask = torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]]).bool()
    wanted = torch.tensor([[KEPT, 7, 2, KEPT, KEPT], [KEPT, KEPT, KEPT, 10, KEPT]])
    states = encoder(words, mask, picture)
    total, count = told(states, wanted, head)
    assert count.tolist() == [2, 1]
    for item, length in enumerate((3, 5)):
        expected = loops.crossed(encoder, words[item, :length], picture[item])
        torch.testing.assert_close(states[item, :length], expected, atol=1e-6, rtol=0)
        losses = [
            loops.cross_entropy_of(head(expected[place]).tolist(), right)
            for place, right in enumerate(wanted[item, :length].tolist())
            if right != KEPT
        ]
        assert total[item].item() == pytest.approx(sum(losses), abs=1e-6)


def test_the_loss_is_the_sum_of_three_formulas(tmp_path):
    clip = load_clip(tiny_transformers(tmp_path))
    torch.manual_seed(0)
    model = IrraSettings(blocks=1, side=32)
    matcher = Irra(clip, model, identities=4, temperature=0.5)
    torch.nn.init.normal_(matcher.head_identity.weight)
    batch, identities = batch_of(clip), torch.tensor([3, 1])
    queries, photos = matcher.train()(batch, batch)
    assert (queries["hidden"] >= 1).all()
    found = matcher.loss(queries, photos, identities, RetrievalSettings(model=model))
    cosines = [[torch.dot(q, p).item() / 0.5 for p in photos["vector"]] for q in queries["vector"]]
    expected = loops.sdm_of(torch.tensor(cosines), identities.tolist()).item()
    expected += (queries["told"].sum() / queries["hidden"].sum()).item()
    for side in (queries, photos):
        for whole, right in zip(side["whole"], identities.tolist(), strict=True):
            named = matcher.head_identity(whole).tolist()
            expected += loops.cross_entropy_of(named, right) / 2 / 2
    assert found.item() == pytest.approx(expected, rel=1e-6, abs=1e-6)
    matcher.eval()
    assert set(matcher.queries(batch)) == set(matcher.photos(batch)) == {"vector"}
