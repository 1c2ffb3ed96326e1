"""The kinds of retrieval models, each made or loaded by one function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from modeling.retrieval.clip import build_clip
from modeling.retrieval.described import with_descriptors, words_told
from modeling.retrieval.diana_feeder import build_diana
from modeling.retrieval.dual_encoder import build_dual_encoder
from modeling.retrieval.irra import build_irra
from modeling.retrieval.matcher import Pictures, Retriever
from modeling.retrieval.pcme import build_pcme
from modeling.retrieval.scan import build_scan
from modeling.retrieval.settings import (
    ClipSettings,
    DianaSettings,
    DualEncoderSettings,
    IrraSettings,
    PcmeSettings,
    RetrievalSettings,
    ScanSettings,
    VseSettings,
)
from modeling.retrieval.texts import shown
from modeling.retrieval.vsepp import build_vsepp

# Settings, the training split's texts (for vocabularies from scratch), pictures where the model
# looks at them, and the folder of saved weights, if any -> a model.
Build = Callable[[RetrievalSettings, Sequence[str], Pictures | None, Path | None], Retriever]

BUILDERS: dict[type, Build] = {
    DualEncoderSettings: build_dual_encoder,
    VseSettings: build_vsepp,
    ScanSettings: build_scan,
    ClipSettings: build_clip,
    DianaSettings: build_diana,
    PcmeSettings: build_pcme,
}


def build_retriever(
    settings: RetrievalSettings,
    *,
    texts: Sequence[str] = (),
    label_texts: Sequence[str] = (),
    pictures: Pictures | None = None,
    weights: Path | None = None,
) -> Retriever:
    """Make a model of the settings' kind, or load the one that was saved to the folder `weights`.

    `texts` are all of the training split's, `label_texts` those of its photos, one
    a photo.

    Raises:
        DataError: a pretrained model or a file of descriptors cannot be had, or the folder holds
            another model.
    """
    if texts:
        texts = [*texts, *words_told(settings)]
    if settings.model.__class__ is DualEncoderSettings:
        retriever = build_dual_encoder(settings, texts, pictures, weights, label_texts)
    elif settings.model.__class__ is IrraSettings:
        retriever = build_irra(settings, pictures, weights, len(label_texts))
    else:
        retriever = BUILDERS[type(settings.model)](settings, texts, pictures, weights)
    if settings.model.pictures is None:
        retriever = retriever._replace(reads=lambda photo: shown(photo, settings.persona))
    return with_descriptors(retriever, settings)
