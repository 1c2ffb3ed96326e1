"""Recipes by name: every row of Table 4 and ours, with published and measured results."""

from __future__ import annotations

import msgspec

from modeling.retrieval.settings import DualEncoderSettings, RetrievalSettings
from modeling.training.settings import TrainingSettings


class Row(msgspec.Struct, frozen=True):
    """Recalls in percent, and on what."""

    recall_at_1: float
    recall_at_5: float
    recall_at_10: float
    data: str

    @property
    def sum(self) -> float:
        """The sum of the three, by which models are compared."""
        return self.recall_at_1 + self.recall_at_5 + self.recall_at_10


class Preset(msgspec.Struct, frozen=True):
    """A recipe, what was published for it, and what this code reached."""

    about: str
    settings: RetrievalSettings
    published: Row | None = None
    measured: Row | None = None


PAPER_DATA = "1,000 test photos, from 10,286 dialogues"  # Table 4

BERT_BASE = "bert-base-uncased"
BERT_TINY = "google/bert_uncased_L-2_H-128_A-2"
RESNET_50, RESNET_152 = "resnet50.tv_in1k", "resnet152.tv_in1k"  # torchvision's weights


def _paper(recalls: tuple[float, float, float]) -> Row:
    return Row(*recalls, PAPER_DATA)


def _dual(**model: str) -> RetrievalSettings:
    return RetrievalSettings(model=DualEncoderSettings(**model))  # type: ignore[arg-type]


def _hinges(settings: RetrievalSettings) -> RetrievalSettings:
    return msgspec.structs.replace(settings, loss="sum-of-hinges")


_DE_BASE = _dual(image=RESNET_152, label=BERT_BASE)
_DE_TINY = _dual(image=RESNET_152, label=BERT_TINY)
_AFTER_COCO = "after COCO (--init-from)"

_MINILM = RetrievalSettings(
    model=DualEncoderSettings(
        towers="label",
        context="minilm",
        label="minilm",
        width=None,
        pooling="mean",
        one_text_tower=True,
    ),
    speakers="all",
    max_length=256,
    temperature=0.05,
    training=TrainingSettings(
        epochs=10, rows_per_step=128, bucket=1, learning_rate=2e-5, weight_decay=0.01
    ),
)

PRESETS: dict[str, Preset] = {
    "de-label-ce": Preset(
        "labels through BERT-base",
        _dual(towers="label", label=BERT_BASE),
        _paper((6.7, 22.1, 31.2)),
    ),
    "de-img-r50-ce": Preset(
        "picture through ResNet-50",
        _dual(towers="image", image=RESNET_50),
        _paper((6.7, 21.9, 32.3)),
    ),
    "de-img-r152-ce": Preset(
        "picture through ResNet-152",
        _dual(towers="image", image=RESNET_152),
        _paper((6.8, 24.0, 34.3)),
    ),
    "de-r152-bert-ce": Preset(
        "picture and labels: ResNet-152, BERT-base", _DE_BASE, _paper((8.1, 23.7, 34.6))
    ),
    "de-star-r152-bert-sh": Preset(
        f"the same with hinges, {_AFTER_COCO}", _hinges(_DE_BASE), _paper((8.0, 22.0, 31.0))
    ),
    "de-star-r152-tiny-sh": Preset(
        f"ResNet-152, BERT-tiny, hinges, {_AFTER_COCO}",
        _hinges(_DE_TINY),
        _paper((7.1, 23.3, 33.0)),
    ),
    "de-star-r152-bert-ce": Preset(
        f"ResNet-152, BERT-base, {_AFTER_COCO}", _DE_BASE, _paper((8.5, 26.1, 35.3))
    ),
    "de-star-r152-tiny-ce": Preset(
        f"ResNet-152, BERT-tiny, {_AFTER_COCO}", _DE_TINY, _paper((9.0, 26.4, 35.7))
    ),
    "minilm-zero-shot": Preset(
        "MiniLM on talk and labels, as it comes",
        msgspec.structs.replace(
            _MINILM, training=msgspec.structs.replace(_MINILM.training, epochs=0)
        ),
    ),
    "minilm": Preset("MiniLM on talk and labels, trained", _MINILM),
    "tiny": Preset(
        "small towers from scratch, picture and labels: to try things out",
        RetrievalSettings(
            model=DualEncoderSettings(
                context="tiny-bert", label="tiny-bert", image="tiny-cnn", width=64, pooling="mean"
            ),
            speakers="all",
            training=TrainingSettings(
                epochs=10, rows_per_step=32, bucket=1, learning_rate=1e-3, warmup=0.1
            ),
        ),
    ),
}
