"""What an activation does to normally distributed numbers: the means that mean-field theory is made of."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from nnctl.kinds.layers.shape import Shape

if TYPE_CHECKING:
    from torch import Tensor

    from nnctl.kinds.layers.base import Activation

_REACH, _NODES = 12, 32  # beyond 12 deviations the normal density is below 1e-31


@dataclass(frozen=True)
class Moments:
    """Mean squares over z ~ N(0, 1)."""

    value: float
    """E[f(z)²]"""
    derivative: float
    """E[f′(z)²]"""


def moments(activation: Activation | None) -> Moments:
    """Return an activation's moments, by Gauss's rule between its kinks; None stands for f(z) = z."""
    import numpy as np
    import torch

    if activation is None:
        return Moments(1.0, 1.0)
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    edges = sorted({*map(float, range(-_REACH, _REACH + 1)), *(k for k in activation.kinks if abs(k) < _REACH)})
    z = torch.tensor(np.concatenate([(a + b) / 2 + (b - a) / 2 * nodes for a, b in pairwise(edges)]))
    weight = torch.tensor(np.concatenate([(b - a) / 2 * weights for a, b in pairwise(edges)]))
    density = weight * torch.exp(-z * z / 2) / (2 * torch.pi) ** 0.5
    value, derivative = value_and_derivative(activation, z)
    return Moments(float(density @ value**2), float(density @ derivative**2))


def value_and_derivative(activation: Activation, z: Tensor) -> tuple[Tensor, Tensor]:
    """Return f and f′ at each number, in float64."""
    import torch

    function = activation.build(Shape((1,))).double().eval()
    with torch.enable_grad():
        z = z.double().detach().requires_grad_()
        value = function(z[:, None])[:, 0]
        (derivative,) = torch.autograd.grad(value.sum(), z)
    return value.detach(), derivative
