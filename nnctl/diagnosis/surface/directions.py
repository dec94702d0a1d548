"""Random directions in the space of weights, scaled filter by filter.

H. Li, Z. Xu, G. Taylor, C. Studer, T. Goldstein: Visualizing the loss landscape of neural nets, 2018.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def filter_normalised(weights: Sequence[Tensor], generator: torch.Generator) -> list[Tensor]:
    """Return a direction for each tensor: N(0, 1), each filter (row of the first axis) as long as that of the weights.

    Tensors of fewer than two axes, biases and the gains of norms, stay where they are. Scaling one layer up and the
    next down changes the direction as it changes the network, and the slice not at all.
    """
    directions = []
    for weight in weights:
        drawn = torch.randn(weight.shape, generator=generator, dtype=torch.float64).to(weight.device)
        if weight.dim() < 2:
            directions.append(torch.zeros_like(weight, requires_grad=False))
            continue
        own, wanted = drawn.flatten(1).norm(dim=1), weight.detach().double().flatten(1).norm(dim=1)
        factor = torch.where(own > 0, wanted / own, torch.zeros_like(own))
        directions.append((drawn * factor.view(-1, *[1] * (weight.dim() - 1))).to(weight))
    return directions


def cosine(first: Sequence[Tensor], second: Sequence[Tensor]) -> float:
    """Return the cosine between two directions; random ones in many dimensions are nearly orthogonal."""
    a, b = (torch.cat([t.flatten().double() for t in tensors]) for tensors in (first, second))
    return float(a @ b / (a.norm() * b.norm()))
