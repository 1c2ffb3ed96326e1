"""What one Int-RA run is, as kept in RUN/settings.json. Defaults are the paper's where it has them.

Sections are those of arXiv 2403.05427. What it leaves open is chosen here, and argued in
docs/stickers.md.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from modeling.training.settings import TrainingSettings
from photochat.stickers import INTENTIONS

BATCH = 4  # section 5.1: "We set the batch size to 4"
LEARNING_RATE = 1e-4  # section 5.1, with Adam
RETRIEVAL_WEIGHT = INTENTION_WEIGHT = 1.0  # section 5.1: "Both lambda_1 and lambda_2 are set to 1"
MARGIN = 0.2  # not in the paper; what VSE++ and PhotoChat's hinges take
HEADS = 8  # not in the paper
MAX_LENGTH = 256  # tokens of conversation and knowledge; not in the paper

Pooling = Literal["first", "mean"]
Relation = Literal["vector", "scalar"]
Positive = Literal["distance", "similarity"]
Fusion = Literal["label", "label+text"]


class IntRASettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One run.

    `text_model` reads conversations, knowledge, labels and descriptions, `vision_model` stickers.
    `knowledge`, `intention` and `attributes` are what the ablations of Table 2 leave out.
    `group` conversations are each other's negatives; `training.rows_per_step` counts groups, so
    the paper's batch is one group a step.

    Readings of what the paper leaves open: `relation`, the maximum over attributes as a vector or
    (as the text around equation 12 says) as one number; `positive`, rho_pos of equation 14 as a
    distance, or (as the text below it says) as a similarity; `fusion`, what H^Y is read from, the
    label alone or the label with the text; `pooling`, how token states become one vector.
    """

    text_model: str = "bert-base-multilingual-cased"  # section 5.1: Multi-lingual BERT
    vision_model: str = "openai/clip-vit-base-patch32"  # section 5.1: CLIP's ViT, size not said
    intentions: tuple[str, ...] = INTENTIONS
    knowledge: bool = True
    intention: bool = True
    attributes: bool = True
    heads: int = HEADS
    margin: float = MARGIN
    retrieval_weight: float = RETRIEVAL_WEIGHT
    intention_weight: float = INTENTION_WEIGHT
    relation: Relation = "vector"
    positive: Positive = "distance"
    fusion: Fusion = "label"
    pooling: Pooling = "first"
    max_length: int = MAX_LENGTH
    freeze_vision: bool = False
    group: int = BATCH
    limit: int | None = None
    training: TrainingSettings = TrainingSettings(
        epochs=20,
        rows_per_step=1,
        learning_rate=LEARNING_RATE,
        weight_decay=0.0,  # Adam, not AdamW
        warmup=0.0,
        decay="constant",
        bucket=1,
    )
