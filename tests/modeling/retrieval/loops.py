"""Formulas of retrieval models written out in loops, to hold the batched ones against."""

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
