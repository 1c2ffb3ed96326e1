"""Rates that fall layer by layer towards the input, for fine-tuning what is pretrained.

A transformer of n blocks has n + 2 levels: embeddings, blocks, and what comes after them, which
learns at the full rate; each level below learns at `decay` times the rate of the one above.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# Blocks as open_clip, timm and transformers number them.
_BLOCK = re.compile(r"^(.*?)\.?(?:resblocks|blocks|layers|layer|stages)\.(\d+)\.")
_AFTER = re.compile(
    r"(?:^|\.)(?:ln_post|ln_final|proj|text_projection|visual_projection|post_layernorm|"
    r"final_layer_norm|norm|fc_norm|head|logit_scale|pooler)(?:\.|$)"
)


def rate_factors(names: Iterable[str], decay: float) -> dict[str, float]:
    """Return what the rate of each parameter is multiplied by, towers apart.

    A tower is what comes before the number of a block in a parameter's name; parameters outside
    the blocks are embeddings, unless their name says that they come after.
    """
    names = list(names)
    blocks = {name: found for name in names if (found := _BLOCK.match(name))}
    depth: dict[str, int] = {}
    for found in blocks.values():
        depth[found[1]] = max(depth.get(found[1], 0), int(found[2]) + 1)
    factors = {}
    for name in names:
        if name in blocks:
            tower, number = blocks[name][1], int(blocks[name][2])
            factors[name] = decay ** (depth[tower] - number)
        elif _AFTER.search(name) or not depth:
            factors[name] = 1.0
        else:
            factors[name] = decay ** (_nearest(name, depth) + 1)
    return factors


def _nearest(name: str, depth: dict[str, int]) -> int:
    """Return the depth of the tower whose name has most in common with the parameter's."""

    def shared(tower: str) -> int:
        count = 0
        for ours, theirs in zip(name.split("."), tower.split("."), strict=False):
            if ours != theirs:
                break
            count += 1
        return count

    return depth[max(depth, key=lambda tower: (shared(tower), -len(tower)))]
