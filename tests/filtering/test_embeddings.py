"""The choice of what finds near-duplicates, and a timm model where the models extra is there."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from filtering.duplicates import THUMBNAILS, near_duplicates
from filtering.embeddings import DEFAULT_MODEL, choose_embedder, model_embedder
from photochat.errors import DataError
from tests.filtering.pictures import BROKEN, encoded, real_picture

SMALL = "tf_efficientnet_lite0"


@pytest.fixture
def no_timm(monkeypatch: pytest.MonkeyPatch) -> None:
    """The models extra is not installed."""
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "timm" else find(name)
    )
    monkeypatch.setitem(sys.modules, "timm", None)


def test_thumbnails_and_none_need_no_model(no_timm: None) -> None:
    """What needs no model is had without a remark."""
    assert choose_embedder("thumbnails") == (THUMBNAILS, None)
    assert choose_embedder("none") == (None, None)


def test_without_the_extra_thumbnails_stand_in_and_it_is_said(no_timm: None) -> None:
    """Left to itself, browse uses thumbnails and says what they cannot see."""
    embedder, remark = choose_embedder()
    assert embedder == THUMBNAILS
    assert remark is not None
    assert "models extra" in remark


def test_a_named_model_without_the_extra_is_one_line(no_timm: None) -> None:
    """Who asks for a model by name is told how to install it."""
    with pytest.raises(DataError, match=r"pip install 'photochat-toolkit\[models\]'"):
        choose_embedder(DEFAULT_MODEL)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights of a small model, in a file."""
    timm = pytest.importorskip("timm")
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "small.pth"
    torch.save(timm.create_model(SMALL, pretrained=False).state_dict(), path)
    return path


def test_a_models_features_tell_copies_and_broken_files(weights: Path, tmp_path: Path) -> None:
    """A model reads its weights from a file; a copy is at no distance, a broken file is NaN."""
    paths = [tmp_path / f"{number}.jpg" for number in range(4)]
    for path, name in zip(paths, ("coffee", "camera", "coffee"), strict=False):
        path.write_bytes(encoded(real_picture(name)))
    paths[3].write_bytes(BROKEN["truncated"])
    embedder = model_embedder(SMALL, weights)
    vectors = embedder.embed(paths)
    assert vectors.shape == (4, 1280)
    assert np.isnan(vectors).all(axis=1).tolist() == [False, False, False, True]
    assert [0, 2] in near_duplicates(vectors, 1e-4)


def test_models_that_cannot_be_had_are_one_line(weights: Path) -> None:
    """An unknown model, a missing file and another model's weights are named."""
    with pytest.raises(DataError, match="the weights of nonsense cannot be had"):
        choose_embedder("nonsense")
    with pytest.raises(DataError, match=r"none\.pth: the weights"):
        choose_embedder(SMALL, Path("none.pth"))
    with pytest.raises(DataError, match=r"small\.pth: the weights of resnet18"):
        choose_embedder("resnet18", weights)


def test_when_the_hub_cannot_be_reached_thumbnails_stand_in(weights: Path) -> None:
    """Offline, the default model's absence is a remark, not a failure."""
    embedder, remark = choose_embedder()
    if embedder == THUMBNAILS:
        assert remark is not None
        assert "cannot be had" in remark
    else:
        assert remark is None  # a machine that has the default weights
