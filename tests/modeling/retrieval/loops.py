"""Formulas of retrieval models written out in loops, to hold the batched ones against."""

import math

import torch


def scan_score_of_pair(words, regions, direction, pooling, temperature, pooling_temperature):
    """SCAN's score of one text (words, width) and one picture (regions, width), equation by
    equation; image to text exchanges the two.
    """
    asking, answering = (words, regions) if direction == "t-i" else (regions, words)
    raw = [[torch.dot(a, b) for b in answering] for a in asking]
    leaky = [[s if s > 0 else 0.1 * s for s in row] for row in raw]
    relevances = []
    for i, a in enumerate(asking):
        normed = []
        for j in range(len(answering)):
            norm = sum(leaky[k][j] ** 2 for k in range(len(asking))) ** 0.5
            normed.append(leaky[i][j] / (norm + 1e-8))
        weights = torch.softmax(temperature * torch.stack(normed), dim=0)
        attended = sum(weight * b for weight, b in zip(weights, answering, strict=True))
        relevances.append(torch.dot(a, attended) / (a.norm() * attended.norm()).clamp(min=1e-8))
    relevance = torch.stack(relevances)
    if pooling == "avg":
        return relevance.mean()
    return torch.log(torch.exp(pooling_temperature * relevance).sum()) / pooling_temperature


def itc_of(scores, identities):
    """Cross entropy of scaled scores with every photo of an identity right, both ways averaged."""

    def one_way(table, rows, columns):
        total = 0.0
        for i, mine in enumerate(rows):
            right = [j for j, theirs in enumerate(columns) if theirs == mine]
            p = torch.softmax(table[i], dim=0)
            total -= sum(torch.log(p[j]) / len(right) for j in right)
        return total / len(rows)

    return (one_way(scores, identities, identities) + one_way(scores.T, identities, identities)) / 2


def sdm_of(scores, identities):
    """IRRA's similarity distribution matching of scaled scores, both ways added up."""
    total = 0.0
    for table in (scores, scores.T):
        for i, mine in enumerate(identities):
            same = [float(theirs == mine) for theirs in identities]
            p = torch.softmax(table[i], dim=0)
            for j in range(len(same)):
                q = same[j] / sum(same)
                total += p[j] * torch.log(p[j] / (q + 1e-8)) / len(identities)
    return total


def attention_of(module, asking, asked):
    """Multi-head attention of one item: `asking` (n, width), `asked` (m, width), head by head."""
    width = asking.shape[1]
    size = width // module.heads
    rows = []
    for a in module.query(asking):
        parts = []
        for head in range(module.heads):
            own = slice(head * size, (head + 1) * size)
            keys, values = module.key(asked)[:, own], module.value(asked)[:, own]
            weights = torch.softmax(
                torch.stack([torch.dot(a[own], k) / size**0.5 for k in keys]), dim=0
            )
            parts.append(sum(w * v for w, v in zip(weights, values, strict=True)))
        rows.append(module.out(torch.cat(parts)))
    return torch.stack(rows)


def refined(module, tokens):
    """The attribute vectors (slots, width) of one item's tokens (n, width), step by step."""
    asking = module.attributes
    states = asking + attention_of(module.attend, module.asking(asking), module.tokens(tokens))
    for block in module.blocks:
        normed = block.first(states)
        states = states + attention_of(block.attend, normed, normed)
        states = states + block.network(block.second(states))
    states = module.last(states)
    return torch.stack([row / row.norm() for row in states])


def soft_contrastive_of(queries, photos, identities, slope, shift):
    """PCME's loss of drawn vectors (items, J, width), pair by pair and draw by draw."""
    total = 0.0
    for i, asking in enumerate(queries):
        for j, asked in enumerate(photos):
            matches = [
                1 / (1 + math.exp(slope * math.sqrt(sum((z - other) ** 2)) - shift))
                for z in asking
                for other in asked
            ]
            p = sum(matches) / len(matches)
            total -= math.log(p if identities[i] == identities[j] else 1 - p)
    return total / len(queries)


def divergence_of(mean, log_variance):
    """KL of diagonal Gaussians from N(0, 1), number by number, the mean over items."""
    total = 0.0
    for own_mean, own_log in zip(mean.tolist(), log_variance.tolist(), strict=True):
        for m, v in zip(own_mean, own_log, strict=True):
            total += 0.5 * (m**2 + math.exp(v) - v - 1)
    return total / len(mean)


def gaussian_of(head, parts):
    """Mean and log variance (width,) of one item's parts (n, seen), step by step."""
    whole = sum(parts) / len(parts)

    def picked(attention):
        told = [attention.second(torch.tanh(attention.first(part)))[0] for part in parts]
        shares = [torch.exp(t) / sum(torch.exp(o) for o in told) for t in told]
        return attention.out(sum(s * part for s, part in zip(shares, parts, strict=True)))

    raw = head.mean(whole) + 1 / (1 + torch.exp(-picked(head.mean_parts)))
    centred = (raw - raw.mean()) / torch.sqrt(((raw - raw.mean()) ** 2).mean() + head.norm.eps)
    normed = centred * head.norm.weight + head.norm.bias
    return normed / normed.norm(), head.spread(whole) + picked(head.spread_parts)


def crossed(module, words, picture):
    """IRRA's states (n, width) of one text's `words` (n, width) and a `picture`, step by step."""
    states = attention_of(module.attend, module.words(words), module.picture(picture))
    for block in module.blocks:
        normed = block.first(states)
        states = states + attention_of(block.attend, normed, normed)
        states = states + block.network(block.second(states))
    return module.last(states)


def cross_entropy_of(scores, right):
    """-log of the share of number `right` in the softmax of `scores` (n,)."""
    return -math.log(math.exp(scores[right]) / sum(math.exp(score) for score in scores))
