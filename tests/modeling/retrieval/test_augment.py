"""Views depend on seed, epoch and photo alone; what the device does equals torchvision."""

import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional as reference

from modeling.retrieval.augment import CLIP, IMAGENET, prepare, views


def pictures(count=3, size=32):
    """Smooth random pictures, as photographs are."""
    source = torch.Generator().manual_seed(0)
    coarse = torch.rand(count, 3, 5, 5, generator=source)
    smooth = torch.nn.functional.interpolate(coarse, (size, size), mode="bicubic")
    return (smooth.clamp(0, 1) * 255).byte()


def test_whole_pictures_are_normalised_as_torchvision_does():
    bytes_ = pictures()
    expected = reference.normalize(bytes_.float() / 255, *map(list, IMAGENET))
    assert torch.allclose(prepare(bytes_, normal=IMAGENET), expected, atol=1e-5)


def test_smaller_is_torchvisions_antialiased_resize():
    bytes_ = pictures(size=40)
    smaller = reference.resize(bytes_.float(), [24, 24], antialias=True) / 255
    expected = reference.normalize(smaller, *map(list, CLIP))
    assert torch.allclose(prepare(bytes_, size=24), expected, atol=1e-4)


def test_a_view_is_its_box_resized_and_flipped():
    bytes_ = pictures(size=64)
    box = torch.tensor([[0.25, 0.125, 0.75, 0.625, 0.0], [0.0, 0.0, 1.0, 1.0, 1.0]])
    out = prepare(bytes_[:2], box, normal=((0, 0, 0), (1, 1, 1)))
    cut = reference.resized_crop(bytes_[:1].float() / 255, 8, 16, 32, 32, [64, 64], antialias=False)
    inner = (..., slice(2, -2), slice(2, -2))  # at its rim a crop does not see beyond itself
    assert torch.allclose(out[:1][inner], cut[inner], atol=0.02)
    assert torch.allclose(out[1], bytes_[1].flip(-1) / 255, atol=1e-5)


def test_views_are_the_same_in_any_batch_and_anew_each_epoch():
    photos = [f"train/{i}" for i in range(100)]
    whole = views(photos, seed=3, epoch=1)
    parts = torch.cat([views([photos[i]], seed=3, epoch=1) for i in (7, 99, 0)])
    assert torch.equal(whole[[7, 99, 0]], parts)
    for other in (views(photos, seed=3, epoch=2), views(photos, seed=4, epoch=1)):
        assert (whole[:, :4] != other[:, :4]).any(dim=1).all()


def test_views_are_spread_as_asked():
    table = views(
        [str(i) for i in range(20_000)], seed=0, epoch=0, scale=(0.4, 0.9), flip=0.3
    ).double()
    left, top, right, bottom, flip = table.unbind(1)
    assert table.min() >= 0
    assert table.max() <= 1
    area = (right - left) * (bottom - top)
    assert area.max() < 0.9 + 1e-6
    assert area.mean().item() == pytest.approx(0.64, abs=0.02)  # boxes that do not fit are smaller
    assert flip.mean().item() == pytest.approx(0.3, abs=0.02)
    middle = (left + right) / 2
    assert middle.mean().item() == pytest.approx(0.5, abs=0.01)
    assert abs(np.corrcoef(middle, (top + bottom) / 2)[0, 1]) < 0.03
    assert abs(np.corrcoef(area[:-1], area[1:])[0, 1]) < 0.03
