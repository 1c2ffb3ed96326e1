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
Direction = Literal["t-i", "i-t"]
Gathering = Literal["avg", "lse"]
Refine = Literal["both", "dialogue", "visual", "none"]
ScoreBy = Literal["both", "global", "refined"]
Rounds = Literal["all", "random"]
Tuning = Literal["none", "probe", "lora", "full"]


class PictureFormat(msgspec.Struct, frozen=True):
    """The square that pictures are brought to. "squash" ignores their shape, "crop" keeps it."""

    side: int = PICTURE_SIDE
    fit: Fit = "squash"


class RegionFormat(msgspec.Struct, frozen=True):
    """Not pictures but vectors of their regions are wanted (`RegionFolder`)."""


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


class VseSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="vse++"
):
    """VSE++ (arXiv 1707.05612, section 4): a GRU over words, an image network, one space."""

    image: str = "resnet152.tv_in1k"
    image_weights: str = "pretrained"
    width: int = 1024

    @property
    def pictures(self) -> PictureFormat:
        """How pictures are wanted."""
        return PictureFormat()


class ScanSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="scan"
):
    """SCAN (arXiv 1803.08024): words and regions attend to each other, "t-i" or "i-t".

    Regions are vectors of `region_width` in the folder of pictures, one file a photo; or with an
    `image` network, which is our variant, the cells of its last grid. `gathering` is over words
    (t-i) or regions (i-t). The temperatures are those of section 4.3 for t-i, 4 and 5 there for
    i-t. Scoring holds at most `memory` bytes.
    """

    image: str | None = None
    image_weights: str = "pretrained"
    region_width: int = 2048
    width: int = 1024
    direction: Direction = "t-i"
    gathering: Gathering = "avg"
    attention_temperature: float = 9.0
    gathering_temperature: float = 6.0
    memory: int = 256 * 2**20

    @property
    def pictures(self) -> PictureFormat | RegionFormat:
        """How pictures are wanted, or that regions are."""
        return RegionFormat() if self.image is None else PictureFormat()


class ClipSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="clip"
):
    """CLIP by a transformers name or folder, or `open_clip:NAME/TAG`, and what of it learns.

    `rank` is of "lora"; with "full" rates fall by `layer_decay` from block to block towards the
    input. `wise_alpha` is how much of the tuned weights is kept, the rest being pretrained ones
    (WiSE-FT): "dev" chooses it there. `side` is that of the pictures that the model sees.
    """

    clip: str = "openai/clip-vit-base-patch32"
    tuning: Tuning = "full"
    rank: int = 8
    layer_decay: float = 1.0
    wise_alpha: float | Literal["dev"] = 1.0
    side: int = PICTURE_SIDE

    @property
    def pictures(self) -> PictureFormat:
        """How pictures are wanted: as CLIP saw them."""
        return PictureFormat(side=self.side, fit="crop")


class DianaSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="diana"
):
    """DiaNA: a text model by `dialogue`, read out by `pooling`, and a vision transformer.

    "last" is for language models; they are read out after every round in one pass. `image` None
    takes the photo's labels, read by the text model, for its picture. `slots` attributes are
    refined of both sides, of one, or of "none"; `shared` gives both sides one refiner. `losses`
    are taken of global and of refined scores; `score` is what photos are ranked by.
    """

    dialogue: str = "bert-base-uncased"
    pooling: Literal["last", "mean", "cls"] = "mean"
    image: str | None = "vit_base_patch16_clip_224.openai"
    image_weights: str = "pretrained"
    width: int = JOINT_WIDTH
    slots: int = 16
    heads: int = 8
    refine: Refine = "both"
    shared: bool = True
    losses: Literal["itc+sdm", "itc", "sdm"] = "itc+sdm"
    score: ScoreBy = "both"

    @property
    def pictures(self) -> PictureFormat | None:
        """How pictures are wanted; None when labels stand for them."""
        return None if self.image is None else PictureFormat()


class PcmeSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="pcme"
):
    """PCME (arXiv 2101.05068): talks and photos are Gaussians; `samples` are drawn of each.

    `divergence` and `uniformity` weigh the terms beside the soft contrastive loss; 0: without.
    """

    image: str = "resnet152.tv_in1k"
    image_weights: str = "pretrained"
    width: int = 1024
    samples: int = 7
    divergence: float = 1e-5
    uniformity: float = 10.0

    @property
    def pictures(self) -> PictureFormat:
        """How pictures are wanted."""
        return PictureFormat()


class IrraSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="irra"
):
    """IRRA (arXiv 2303.12501): a CLIP of transformers tuned by SDM and two losses beside it.

    `mlm` has hidden words told from the picture by an encoder of so many `blocks`, `identity` the
    photo named by a classifier of both sides. `side` is that of the pictures that the CLIP sees.
    """

    clip: str = "openai/clip-vit-base-patch16"
    mlm: bool = True
    identity: bool = True
    blocks: int = 4
    side: int = PICTURE_SIDE

    @property
    def pictures(self) -> PictureFormat:
        """How pictures are wanted: as CLIP saw them."""
        return PictureFormat(side=self.side, fit="crop")


ModelSettings = (
    DualEncoderSettings
    | VseSettings
    | ScanSettings
    | ClipSettings
    | DianaSettings
    | PcmeSettings
    | IrraSettings
)


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
    of the talk at most, the newest. With `rounds` "random", training reads a prefix of each talk,
    of a random number of turns drawn anew each epoch. `persona` lets who is on the photo into its
    text: a leak. Scores are multiplied by 1 / `temperature` in the cross entropy, and it is learnt
    with the rest where `learn_temperature`; section 6.2 prints none, which is a temperature of 1.
    `margin` is of the hinge losses. Queries of a step that share a photo are never each other's
    negatives. `pairs_at_once` bounds memory: a step of more pairs is encoded in parts, with the
    same result.
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
    rounds: Rounds = "all"
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
