"""What one retrieval run is: model, texts, loss and training, as kept in RUN/settings.json.

Each kind of model has a struct of its own here; `RetrievalSettings.model` is one of them, told
apart by "type".
"""

from __future__ import annotations

from typing import Literal

import msgspec

from modeling.training.settings import TrainingSettings

MAX_LENGTH = 128  # section 7.1: "the maximum sequence length of BERT is 128"
JOINT_WIDTH = 512  # section 7.1: "the dimension of the joint image-text embedding space H is 512"
MARGIN = 0.2  # section 7.1, and VSE++
PICTURE_SIDE = 224  # section 6.2: "we first resize the image a_i to 224x224"

Speakers = Literal["sharer", "all"]
Text = Literal["dialogue", "descriptors", "both"]
LossName = Literal["cross-entropy", "sum-of-hinges", "max-of-hinges"]
Towers = Literal["image", "label", "image+label"]
Fit = Literal["squash", "crop"]
Pooling = Literal["cls", "mean"]


class PictureFormat(msgspec.Struct, frozen=True):
    """The square that pictures are brought to. "squash" ignores their shape, "crop" keeps it."""

    side: int = PICTURE_SIDE
    fit: Fit = "squash"


class DualEncoderSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="dual-encoder"
):
    """The paper's dual encoder (section 6.2, Figure 3): which towers, of which pretrained models.

    `context` reads the talk, `label` the photo's labels, `image` its picture, starting from
    `image_weights` ("pretrained", "random" or a file). `width` is that of the joint space; None
    leaves the linear layers out. With `one_text_tower` the context encoder reads labels too.
    `word_weight` times BM25's score of the words that talk and labels share is added to the cosine:
    ours, off by default.
    """

    towers: Towers = "image+label"
    context: str = "bert-base-uncased"
    label: str = "bert-base-uncased"
    image: str = "resnet152"
    image_weights: str = "pretrained"
    width: int | None = JOINT_WIDTH
    pooling: Pooling = "cls"
    one_text_tower: bool = False
    word_weight: float = 0.0

    @property
    def pictures(self) -> PictureFormat | None:
        """How pictures are wanted; None when the model does not look at them."""
        return PictureFormat() if self.towers != "label" else None


ModelSettings = DualEncoderSettings  # a union, one struct a kind


def _training() -> TrainingSettings:
    """Section 7.1: Adam at 5e-5, 128 pairs a step; the number of epochs is ours."""
    return TrainingSettings(
        epochs=20,
        rows_per_step=128,
        bucket=1,
        learning_rate=5e-5,
        weight_decay=0.0,
        warmup=0.0,
        decay="thousandths",
    )


class RetrievalSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One run. Defaults are the paper's where it names them (sections 6.2 and 7.1).

    `speakers` says whose utterances before the share make the query, `last_turns` how many turns
    of the talk at most, the newest. `persona` lets who is on the photo into its text: a leak.
    Scores are multiplied by 1 / `temperature` in the cross entropy, and it is learnt with the rest
    where `learn_temperature`; section 6.2 prints none, which is a temperature of 1. `margin` is of
    the hinge losses. Queries of a step that share a photo are never each other's negatives.
    `pairs_at_once` bounds memory: a step of more pairs is encoded in parts, with the same result.
    `augment` shows crops and mirror images in training. `limit` takes the first dialogues alone;
    `init_from` is the run whose weights this one starts from. `text` is what queries are read by:
    the talk, the `descriptors` of a file of photochat describe, or both, the descriptors' scores
    and loss with the share `descriptor_weight`.
    """

    model: ModelSettings
    text: Text = "dialogue"
    descriptors: str | None = None
    descriptor_weight: float = 0.5
    speakers: Speakers = "sharer"
    last_turns: int | None = None
    max_length: int = MAX_LENGTH
    persona: bool = False
    loss: LossName = "cross-entropy"
    temperature: float = 0.07
    learn_temperature: bool = True
    margin: float = MARGIN
    pairs_at_once: int = 128
    augment: bool = False
    limit: int | None = None
    init_from: str | None = None
    training: TrainingSettings = msgspec.field(default_factory=_training)
