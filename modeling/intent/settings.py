"""What one intent run is: model, examples, loss and training, as kept in RUN/settings.json."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from modeling.examples import Construction
from modeling.training.settings import TrainingSettings

MAX_LENGTH = 512  # section 7.1: "the maximum sequence length of BERT, ALBERT, and T5 [...] is 512"
TFIDF: Final = "tfidf"

KindName = Literal["encoder", "t5", "causal", "turn-causal", "tfidf"]
Loss = Literal["cross-entropy", "focal"]
Selection = Literal["f1", "f1@dev", "average_precision"]


class IntentSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One run. Defaults are the paper's where it names them (sections 5, 6.1 and 7.1).

    `select` is the dev metric by which the model is kept: F1 at 0.5 in the paper; "f1@dev" is F1 at
    the threshold that is best on dev. `positive_weight` weighs shares in the loss, `keep_negatives`
    is the share of other examples that an epoch draws. `limit` takes the first dialogues alone.
    `language` weighs the mean loss of the next token of the talk, which a decoder may learn beside
    the answer; the mean is of a micro-batch. `dropout` is of all layers; None leaves the model its
    own and gives the head 0.1.
    """

    model: str
    kind: KindName
    construction: Construction = "paper"
    hide_roles: bool = False
    max_length: int = MAX_LENGTH
    loss: Loss = "cross-entropy"
    positive_weight: float = 1.0
    focal_gamma: float = 2.0
    keep_negatives: float = 1.0
    dropout: float | None = None
    language: float = 0.0
    select: Selection = "f1"
    limit: int | None = None
    training: TrainingSettings = msgspec.field(default_factory=TrainingSettings)
