"""Each equation of Int-RA equals its formula transcribed in plain loops, padding included."""

import math

import numpy as np
import pytest
import torch

from modeling.stickers.equations import (
    attention,
    intention_loss,
    pooled,
    relation_aware,
    relation_scores,
    retrieval_loss,
)

S, A, R, D, HEADS = 3, 4, 5, 12, 3


@pytest.fixture
def draw():
    source = torch.Generator().manual_seed(0)
    return lambda *shape: torch.randn(*shape, generator=source, dtype=torch.float64)


def near(found, looped):
    return np.testing.assert_allclose(found.detach().numpy(), np.array(looped), atol=1e-6)


def cosines(texts, stickers):
    return torch.nn.functional.cosine_similarity(texts[:, None], stickers[None], dim=-1)


def looped_attention(h_a, h_i, w_q, w_k, w_v):
    """Equation 11 for one sticker, head by head: (a, d) from h^A (a, d) and h^I (r, d)."""
    d_k = D // HEADS
    result = []
    for j in range(len(h_a)):
        row = []
        for head in range(HEADS):
            part = slice(head * d_k, (head + 1) * d_k)
            q = [sum(h_a[j][x] * w_q[x][y] for x in range(D)) for y in range(D)][part]
            k = [[sum(h[x] * w_k[x][y] for x in range(D)) for y in range(D)][part] for h in h_i]
            v = [[sum(h[x] * w_v[x][y] for x in range(D)) for y in range(D)][part] for h in h_i]
            exps = [
                math.exp(sum(map(math.prod, zip(q, one, strict=True))) / math.sqrt(d_k))
                for one in k
            ]
            weights = [e / sum(exps) for e in exps]
            row += [sum(w * one[y] for w, one in zip(weights, v, strict=True)) for y in range(d_k)]
        result.append(row)
    return result


def test_attention_is_equation_11_in_every_head(draw):
    h_a, h_i = draw(S, A, D), draw(S, R, D)
    w_q, w_k, w_v = draw(D, D), draw(D, D), draw(D, D)
    found = attention(h_a @ w_q, h_i @ w_k, h_i @ w_v, HEADS)
    weights = [w.tolist() for w in (w_q, w_k, w_v)]
    looped = [looped_attention(h_a[i].tolist(), h_i[i].tolist(), *weights) for i in range(S)]
    near(found, looped)


@pytest.mark.parametrize("kind", ["vector", "scalar"])
def test_the_relation_is_the_maximum_over_the_attributes_that_are_described(draw, kind):
    relations = draw(S, A, D)
    described = torch.tensor([[1, 1, 1, 1], [0, 1, 0, 1], [0, 0, 0, 0]])
    found = relation_scores(relations, described, kind)
    looped = []
    for i in range(S):
        own = [relations[i][j].tolist() for j in range(A) if described[i][j]]
        if not own:
            looped.append([1.0] * (D if kind == "vector" else 1))
        elif kind == "vector":
            looped.append([max(one[y] for one in own) for y in range(D)])
        else:
            looped.append([max(max(one) for one in own)])
    near(found, looped)


def test_the_relation_multiplies_every_region_before_their_mean(draw):
    score, regions = draw(S, D), draw(S, R, D)
    looped = [
        [sum(score[i][y].item() * regions[i][r][y].item() for r in range(R)) / R for y in range(D)]
        for i in range(S)
    ]
    near(relation_aware(score, regions), looped)


def test_a_single_number_as_relation_leaves_the_cosine_as_it_is_or_turns_its_sign(draw):
    """Why the vector is the default: the cosine of equation 13 does not see a scale."""
    text, regions, score = draw(2, D), draw(S, R, D), draw(S, 1)
    plain = cosines(text, regions.mean(1))
    scaled = cosines(text, relation_aware(score, regions))
    near(scaled, (plain * score[:, 0].sign()).tolist())


@pytest.mark.parametrize("positive", ["distance", "similarity"])
def test_the_retrieval_loss_is_equation_14(draw, positive):
    scores = torch.tanh(draw(4, S))
    gold = torch.tensor([0, 2, 1, 1])
    negatives = torch.tensor([[0, 1, 1], [1, 1, 0], [1, 0, 0], [0, 0, 0]])
    total, margin = 0.0, 0.2
    for i in range(4):
        for j in range(S):
            if negatives[i][j]:
                cosine = scores[i][gold[i]].item()
                rho_pos = 1 - cosine if positive == "distance" else cosine
                total += max(0.0, scores[i][j].item() - (1 - rho_pos) + margin)
    near(retrieval_loss(scores, gold, negatives, margin, positive), total)


def test_by_the_letter_of_the_paper_minimising_drives_the_true_sticker_away():
    gold, negatives = torch.tensor([0]), torch.tensor([[False, True]])
    for positive, sign in (("distance", -1), ("similarity", 1)):
        scores = torch.tensor([[0.5, 0.4]], requires_grad=True)
        retrieval_loss(scores, gold, negatives, 0.2, positive).backward()
        assert torch.sign(scores.grad[0, 0]) == sign


def test_the_intention_loss_is_equations_4_and_6(draw):
    logits, gold = draw(5, 6), torch.tensor([0, 5, 2, 2, 1])
    total = 0.0
    for row, tag in zip(logits.tolist(), gold.tolist(), strict=True):
        rho = [math.exp(x) / sum(map(math.exp, row)) for x in row]
        total -= math.log(rho[tag])
    near(intention_loss(logits, gold), total)


def test_pooling_does_not_see_padding(draw):
    states = draw(2, 5, D)
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]])
    looped = [
        [sum(states[i][t][y].item() for t in range(n)) / n for y in range(D)]
        for i, n in enumerate((5, 2))
    ]
    near(pooled(states, mask, mean=True), looped)
    near(pooled(states, mask, mean=False), states[:, 0].tolist())
