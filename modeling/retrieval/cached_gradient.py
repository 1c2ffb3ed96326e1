"""The gradient of a loss over all pairs of a step, however many processes and parts encode them.

A contrastive loss compares every pair with every other, so it does not add up over micro-batches.
Representations are computed in parts without a graph and gathered; the loss gives their gradient;
each part is computed again and takes its share of it (GradCache, Gao et al., 2021, arXiv
2101.06983). That is exact: dropout draws the same in both passes. A step of one part is computed
once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from accelerate import Accelerator
from torch import Tensor

from modeling.retrieval.matcher import Batch, Matcher, Representations, filled_up, joined


class Part(NamedTuple):
    """Pairs encoded at once, on the device. A part that does not count keeps processes in step."""

    queries: Batch
    photos: Batch
    identities: Tensor
    counts: bool


# Representations of all queries and photos and the identities -> the mean loss.
Loss = Callable[[Representations, Representations, Tensor], Tensor]


class _Encoded(NamedTuple):
    queries: Representations
    photos: Representations


def step_gradient(
    matcher: Matcher, parts: Sequence[Part], loss: Loss, accelerator: Accelerator
) -> Tensor:
    """Leave the gradient of the step's loss in the parameters of `matcher`; return the loss.

    `parts` are this process's. Every process has the gradient of the whole step afterwards.
    """
    once = len(parts) == 1
    draws: list[_RandomState] = []
    encoded: list[_Encoded] = []
    for part in parts:
        draws.append(_RandomState(accelerator.device))
        with torch.set_grad_enabled(once), accelerator.autocast():
            encoded.append(_encode(matcher, part))
    own = [_leaves(joined(e[side] for e in encoded)) for side in (0, 1)]
    identities = torch.cat([part.identities[: None if part.counts else 0] for part in parts])
    everyone = _Gathering(len(identities), accelerator)
    queries, photos = (everyone.of(side) for side in own)
    value = loss(queries, photos, everyone.of({"": identities})[""])
    _backward(value, accelerator)
    for parameter in matcher.parameters():
        if parameter.grad is not None:  # of what acts in the loss: the same in every process
            parameter.grad /= accelerator.num_processes

    done = 0
    for part, draw, first in zip(parts, draws, encoded, strict=True):
        count = len(part.identities) if part.counts else 0
        if not once:
            draw.restore()
            with accelerator.autocast():
                first = _encode(matcher, part)
        tensors, gradients = [], []
        for side in (0, 1):
            for name, tensor in first[side].items():
                gradient = own[side][name].grad
                if tensor.requires_grad and gradient is not None:
                    tensors.append(tensor)
                    gradients.append(_cut(gradient[done : done + count], tensor))
        if tensors:
            torch.autograd.backward(tensors, gradients)
        done += count
    _sum_over_processes(matcher, accelerator)
    return value.detach()


def _encode(matcher: Matcher, part: Part) -> _Encoded:
    both = matcher(part.queries, part.photos)
    if part.counts:
        return _Encoded(*both)
    return _Encoded(*({name: tensor[:0] for name, tensor in side.items()} for side in both))


def _leaves(representations: Representations) -> Representations:
    """Return the representations cut off from their graph, in single precision."""
    return {
        name: tensor.detach().float().requires_grad_()
        if tensor.is_floating_point()
        else tensor.detach()
        for name, tensor in representations.items()
    }


def _cut(gradient: Tensor, tensor: Tensor) -> Tensor:
    """Return the part of a gradient that is a tensor's own, without what it was filled up by."""
    return gradient[tuple(slice(size) for size in tensor.shape)].to(tensor.dtype)


def _backward(value: Tensor, accelerator: Accelerator) -> None:
    scaler = accelerator.scaler
    (value if scaler is None else scaler.scale(value)).backward()


class _RandomState:
    """What the generators of this process draw next, to be drawn again."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._cpu = torch.get_rng_state()
        self._cuda = torch.cuda.get_rng_state(device) if device.type == "cuda" else None

    def restore(self) -> None:
        torch.set_rng_state(self._cpu)
        if self._cuda is not None:
            torch.cuda.set_rng_state(self._cuda, self._device)


class _Gathering:
    """Puts together what all processes hold; a process's own part keeps its graph."""

    def __init__(self, own: int, accelerator: Accelerator) -> None:
        self._accelerator = accelerator
        count = torch.tensor([own], device=accelerator.device)
        self._counts: list[int] = accelerator.gather(count).tolist()

    def of(self, own: Representations) -> Representations:
        if self._accelerator.num_processes == 1:
            return own
        me, result = self._accelerator.process_index, {}
        for name, tensor in own.items():
            sent: Tensor = tensor.detach()
            sent = sent.to(torch.uint8) if sent.dtype == torch.bool else sent
            for dimension in range(sent.ndim):
                sent = self._accelerator.pad_across_processes(sent, dim=dimension)
            blocks = self._accelerator.gather(sent.contiguous()).split(len(sent))
            shape = sent.shape[1:]
            pieces = [
                filled_up(tensor, shape) if process == me else block[:count].to(tensor.dtype)
                for process, (block, count) in enumerate(zip(blocks, self._counts, strict=True))
            ]
            result[name] = torch.cat(pieces)
        return result


def _sum_over_processes(matcher: Matcher, accelerator: Accelerator) -> None:
    if accelerator.num_processes == 1:
        return
    for parameter in matcher.parameters():
        if parameter.requires_grad:
            own = parameter.grad if parameter.grad is not None else torch.zeros_like(parameter)
            parameter.grad = accelerator.reduce(own, "sum")
