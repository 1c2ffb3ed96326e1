"""Augmentation and normalisation of squares on the device, in batches.

What is random about a view is drawn beforehand, by `views`, from the seed, the epoch and the photo
alone: neither the cut into batches nor processes nor an interruption changes it. `prepare` then
makes floats of bytes where the model is.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import grid_sample, interpolate

# Mean and standard deviation of a channel, of values from 0 to 1.
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # torchvision's and timm's networks
CLIP = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
INCEPTION = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))

Normal = tuple[Sequence[float], Sequence[float]]

SCALE = (0.5, 1.0)  # part of the area that a view shows; ours: captions speak of whole photos
RATIO = (3 / 4, 4 / 3)  # width over height of a view: the customary range
_DRAWS = 5


def views(
    photos: Sequence[str],
    *,
    seed: int,
    epoch: int,
    scale: tuple[float, float] = SCALE,
    ratio: tuple[float, float] = RATIO,
    flip: float = 0.5,
) -> Tensor:
    """Draw a view of each photo, named by its key: a box in it, and whether to flip.

    Shape (photos, 5), on the CPU: left, top, right and bottom as parts of the side, and 1 to flip,
    by the chance `flip`.
    """
    draws = _uniform(_numbers(photos), seed, epoch)
    area = scale[0] + (scale[1] - scale[0]) * draws[:, 0]
    shape = np.exp(math.log(ratio[0]) + (math.log(ratio[1]) - math.log(ratio[0])) * draws[:, 1])
    wide, high = np.minimum(np.sqrt(area * shape), 1.0), np.minimum(np.sqrt(area / shape), 1.0)
    left, top = (1 - wide) * draws[:, 2], (1 - high) * draws[:, 3]
    table = np.stack([left, top, left + wide, top + high, draws[:, 4] < flip], axis=1)
    return torch.from_numpy(table.astype(np.float32))


def prepare(
    pixels: Tensor, views: Tensor | None = None, *, size: int | None = None, normal: Normal = CLIP
) -> Tensor:
    """Return floats (photos, 3, size, size) of bytes (photos, 3, side, side), where the bytes are.

    With `views` each photo is seen through its box, flipped where it says so; without, whole.
    `size` is that of the squares unless given.
    """
    size = size or pixels.shape[-1]
    images = pixels.to(torch.float32, copy=True)
    if views is not None:
        images = _through(images, views.to(images.device), size)
    elif size != images.shape[-1]:
        images = interpolate(
            images, (size, size), mode="bilinear", antialias=True, align_corners=False
        )
    mean, deviation = (images.new_tensor(part).view(1, 3, 1, 1) for part in normal)
    return images.mul_(1 / (255 * deviation)).sub_(mean / deviation)  # in place: it is our own


def _through(images: Tensor, views: Tensor, size: int) -> Tensor:
    """Sample each image within its box, bilinearly."""
    left, top, right, bottom, flip = views.to(images.dtype)[..., None].unbind(1)  # (photos, 1)
    # In the coordinates of grid_sample an image reaches from -1 to 1; these are pixels' middles.
    middles = (torch.arange(size, device=images.device, dtype=images.dtype) * 2 + 1) / size - 1
    grid = images.new_empty(len(images), size, size, 2)
    grid[..., 0] = ((right - left) * (1 - 2 * flip) * middles + left + right - 1)[:, None, :]
    grid[..., 1] = ((bottom - top) * middles + top + bottom - 1)[:, :, None]
    return grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _numbers(photos: Sequence[str]) -> NDArray[np.uint64]:
    digests = (hashlib.blake2b(key.encode(), digest_size=8).digest() for key in photos)
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def _uniform(items: NDArray[np.uint64], seed: int, epoch: int) -> NDArray[np.float64]:
    """Return numbers in [0, 1), (items, 5), that depend on seed, epoch and item alone.

    SplitMix64 (Steele, Lea and Flood 2014) of a counter: neighbours share nothing.
    """
    start = _mixed(_mixed(np.array([seed % 2**63], np.uint64)) + np.uint64(epoch % 2**63))
    counter = np.add(items[:, None] * np.uint64(_DRAWS), np.arange(_DRAWS, dtype=np.uint64))
    return (_mixed(_mixed(counter) ^ start) >> np.uint64(11)).astype(np.float64) / 2**53


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
