"""LoRA (arXiv 2106.09685): a frozen matrix W is learnt as W + alpha / rank * up @ down.

The sum takes the matrix's place wherever the network reads it, so fused projections
(`in_proj_weight` of torch's attention) are adapted like any other. `up` starts at zero: an adapted
network begins as the network that it was.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

# The matrices of a transformer's blocks, attention's and those after it, as torch, open_clip, timm
# and transformers call them.
MATRICES = re.compile(
    r"(?:^|\.)(in_proj_weight|"
    r"(?:q|k|v|out|query|key|value|qkv|q_proj|k_proj|v_proj|o_proj|out_proj|q_lin|k_lin|v_lin|"
    r"out_lin|attn\.proj|attention\.output\.dense|c_fc|c_proj|fc1|fc2)\.weight)$"
)
_ORIGINAL = re.compile(r"^(.*?)parametrizations\.([^.]+)\.original$")


class LowRank(nn.Module):
    """What is added to a matrix (rows, columns)."""

    def __init__(self, rows: int, columns: int, rank: int, alpha: float) -> None:
        super().__init__()
        self.down = nn.Parameter(torch.empty(rank, columns))
        self.up = nn.Parameter(torch.zeros(rows, rank))
        # A buffer, so that weights alone say how they are added up.
        self.scale: Tensor
        self.register_buffer("scale", torch.tensor(alpha / rank))
        nn.init.kaiming_uniform_(self.down, a=5**0.5)

    def forward(self, matrix: Tensor) -> Tensor:
        """Return the matrix with the product added."""
        return matrix + self.scale * (self.up @ self.down)


def adapt(module: nn.Module, rank: int, alpha: float, which: re.Pattern[str] = MATRICES) -> int:
    """Freeze `module` and give a `LowRank` to each matrix whose name fits; return how many."""
    fitting = [
        name
        for name, parameter in module.named_parameters()
        if parameter.ndim == 2 and which.search(name)
    ]
    module.requires_grad_(False)
    for name in fitting:
        owner, _, parameter = name.rpartition(".")
        part = module.get_submodule(owner)
        rows, columns = getattr(part, parameter).shape
        parametrize.register_parametrization(part, parameter, LowRank(rows, columns, rank, alpha))
    return len(fitting)


def merged(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the state of the network without adapters that computes the same."""
    result: dict[str, Tensor] = {}
    for name, tensor in state.items():
        found = _ORIGINAL.match(name)
        if found:
            prefix, parameter = found.groups()
            own = f"{prefix}parametrizations.{parameter}.0."
            added = state[own + "scale"] * (state[own + "up"] @ state[own + "down"])
            result[prefix + parameter] = tensor + added
        elif "parametrizations." not in name:
            result[name] = tensor
    return result
