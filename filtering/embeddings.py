"""What tells near-duplicates apart: a pretrained image model where there is one, else thumbnails.

The model comes from timm, part of the `models` extra; its weights from the hub, or from a file.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from filtering.duplicates import THUMBNAILS, Embedder, Vectors
from photochat.errors import DataError
from photochat.images import as_rgb, open_picture

DEFAULT_MODEL = "tf_efficientnet_lite0.in1k"  # 4.7 million weights in 18 MB, Apache-2.0
# Cosine distance of its features. On 15 photographs of scikit-image: copies cropped to 80%,
# mirrored or brightened lie below 0.17, nine in ten of those halved at JPEG quality 40 below 0.25,
# pairs of different photographs at 0.47 and more.
MODEL_DISTANCE = 0.2
BATCH = 32

AUTOMATIC, BY_THUMBNAILS, NOT_AT_ALL = "auto", "thumbnails", "none"


def choose_embedder(
    by: str = AUTOMATIC, weights: Path | None = None
) -> tuple[Embedder | None, str | None]:
    """Return the embedder that `by` names, and a remark when it is not what one would expect.

    `by` is "thumbnails", "none", the name of a timm model, or "auto": the default model when the
    models extra is installed and its weights can be had, else thumbnails.

    Raises:
        DataError: a model is named, or weights are given, and cannot be had.
    """
    if by == NOT_AT_ALL:
        return None, None
    if by == BY_THUMBNAILS:
        return THUMBNAILS, None
    if by != AUTOMATIC or weights is not None:
        return model_embedder(DEFAULT_MODEL if by == AUTOMATIC else by, weights), None
    if importlib.util.find_spec("timm") is None:
        return THUMBNAILS, "no models extra, so only copies of a picture are found"
    try:
        return model_embedder(DEFAULT_MODEL), None
    except DataError as error:
        return THUMBNAILS, f"{error}, so only copies of a picture are found"


def model_embedder(name: str, weights: Path | None = None) -> Embedder:
    """Return an embedder by a timm model, its weights from the hub or from a file.

    Raises:
        DataError: timm is not installed, knows no such model, or its weights cannot be had.
    """
    try:
        timm = importlib.import_module("timm")
    except ImportError as error:
        raise DataError(
            "an image model needs the models extra: pip install 'photochat-toolkit[models]'"
        ) from error
    try:
        model = timm.create_model(
            name,
            pretrained=True,
            num_classes=0,
            pretrained_cfg_overlay={"file": str(weights)} if weights else None,
        )
    except Exception as error:  # of many kinds: unknown name, no hub, no file, other weights
        reason = next(iter(str(error).splitlines()), repr(error))
        raise DataError(f"the weights of {name} cannot be had ({reason})", file=weights) from error
    return Embedder(
        f"the image model {name}", lambda paths: _features(timm, model, paths), MODEL_DISTANCE
    )


def _features(timm: Any, model: Any, paths: Sequence[Path]) -> Vectors:
    torch = importlib.import_module("torch")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = model.eval().to(device)
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model))
    vectors = np.full((len(paths), model.num_features), np.nan, np.float32)
    for start in range(0, len(paths), BATCH):
        rows, tensors = [], []
        for row, path in enumerate(paths[start : start + BATCH], start=start):
            try:
                tensors.append(transform(as_rgb(open_picture(path))))  # (3, H, W)
                rows.append(row)
            except DataError:
                continue  # the row of NaN says so
        if rows:
            with torch.inference_mode():
                vectors[rows] = model(torch.stack(tensors).to(device)).float().cpu().numpy()
    return vectors
