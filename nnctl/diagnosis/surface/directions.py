"""Random directions in the space of weights, scaled filter by filter.

H. Li, Z. Xu, G. Taylor, C. Studer, T. Goldstein: Visualizing the loss landscape of neural nets, 2018.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor


def filter_normalised(weights: Sequence[Tensor], generator: torch.Generator) -> list[Tensor]:
    """Return a direction for each tensor: N(0, 1), each filter (row of the first axis) scaled to the norm of the weights'
    filter; 0 for tensors of fewer than two axes, biases and the gains of norms.

    Scaling one layer up and the next down then changes the direction as it changes the network, and the slice not at all.
    """
    directions = []
    for weight in weights:
        drawn = torch.randn(weight.shape, generator=generator, dtype=torch.float64).to(weight)
        if weight.dim() < 2:
            directions.append(torch.zeros_like(weight))
            continue
        own, target = drawn.flatten(1).norm(dim=1), weight.detach().flatten(1).norm(dim=1)
        factor = torch.where(own > 0, target / own, torch.zeros_like(own))
        directions.append(drawn * factor.view(-1, *[1] * (weight.dim() - 1)))
    return directions


def orthogonal(first: Sequence[Tensor], second: Sequence[Tensor]) -> list[Tensor]:
    """Return the second direction without its part along the first: random ones are nearly orthogonal already."""
    along = sum((a * b).sum() for a, b in zip(first, second, strict=True))
    length = sum((a * a).sum() for a in first)
    return [b - a * (along / length) for a, b in zip(first, second, strict=True)]


def between(begin: Mapping[str, Tensor], end: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the direction from one set of weights to another."""
    return {name: end[name] - tensor for name, tensor in begin.items()}
