"""From what a model has read to the odds of a share: section 6.1's two layers, and the losses."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from modeling.intent.settings import Loss

HIDDEN = 128  # section 6.1: "two fully-connected layers, of which the output dimensions are
CLASSES = 2  # respectively 128 and 2"


class ShareHead(nn.Module):
    """128 -> 2 log-probabilities. The paper names no activation; ours is ReLU, after dropout."""

    def __init__(self, width: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.inner = nn.Linear(width, HIDDEN)
        self.outer = nn.Linear(HIDDEN, CLASSES)
        self.dropout = nn.Dropout(dropout)

    def forward(self, states: Tensor) -> Tensor:
        """Map states (answers, width) to log-probabilities (answers, 2), in fp32."""
        hidden = torch.relu(self.inner(self.dropout(states)))
        return torch.log_softmax(self.outer(self.dropout(hidden)).float(), dim=-1)


def share_loss(
    log_probabilities: Tensor,
    labels: Tensor,
    kind: Loss = "cross-entropy",
    *,
    positive_weight: float = 1.0,
    gamma: float = 2.0,
) -> Tensor:
    """Return the sum of the losses of answers, log_probabilities (answers, 2), labels (answers,).

    "focal" scales each answer's cross entropy by (1 - p)^gamma, p being what its label was given
    (Lin et al., 2017). `positive_weight` weighs shares; the paper's loss is the default.
    """
    given = log_probabilities.gather(1, labels[:, None]).squeeze(1)
    losses = -given
    if kind == "focal":
        losses = losses * (1 - given.exp()) ** gamma
    return (losses * torch.where(labels == 1, positive_weight, 1.0)).sum()


def share_probability(log_probabilities: Tensor) -> Tensor:
    """Return the probability of a share among the two answers, shape (answers,)."""
    return torch.sigmoid(log_probabilities[:, 1] - log_probabilities[:, 0])
