"""Learned factors and summands, for everything or for each channel."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Bias(nn.Module):
    """x + b, where b has one entry, or one for each position of `axis`."""

    def __init__(self, size: int, axis: int) -> None:
        super().__init__()
        self.axis = axis
        self.bias = nn.Parameter(torch.empty(size))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start at 0."""
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return x + b."""
        return x + _along(self.bias, x, self.axis)


class Multiplier(nn.Module):
    """x · w, where w has one entry, or one for each position of `axis`."""

    def __init__(self, size: int, axis: int) -> None:
        super().__init__()
        self.axis = axis
        self.weight = nn.Parameter(torch.empty(size))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start at 1."""
        nn.init.ones_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Return x · w."""
        return x * _along(self.weight, x, self.axis)


def _along(values: Tensor, x: Tensor, axis: int) -> Tensor:
    # values keep a single axis, as biases and the gains of norms do: weight decay tells weights by their axes
    shape = [1] * x.dim()
    shape[axis] = len(values)
    return values.view(shape)
