"""Cosines between patches and filters."""

from __future__ import annotations

from math import prod, sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional

_CONVS = (functional.conv1d, functional.conv2d, functional.conv3d)
_MEANS = (functional.avg_pool1d, functional.avg_pool2d, functional.avg_pool3d)

TINY = 1e-12
"""Squared length below which a vector counts as zero."""


class CosineConv(nn.Module):
    """⟨w, patch⟩ / (‖w‖ ‖patch‖) at every place: (N, C, space…) -> (N, channels, places…)."""

    def __init__(
        self, into: int, channels: int, kernel: tuple[int, ...], stride: tuple[int, ...], padding: tuple[int, ...]
    ) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride
        self._margins = [rows for axis in reversed(padding) for rows in (axis, axis)]
        self.weight = nn.Parameter(torch.empty(channels, into, *kernel))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start as torch's convolutions do; the length is without effect."""
        bound = 1 / sqrt(self.weight[0].numel())
        nn.init.uniform_(self.weight, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        """Return the cosines."""
        axes = len(self.kernel)
        x = functional.pad(x, self._margins)
        lengths = self.weight.flatten(1).square().sum(1).clamp_min(TINY)
        filters = self.weight * lengths.rsqrt().view(-1, *[1] * (1 + axes))
        products = _CONVS[axes - 1](x, filters, stride=self.stride)
        squares = _MEANS[axes - 1](x.square().sum(1, keepdim=True), self.kernel, self.stride) * prod(self.kernel)
        return products * squares.clamp_min(TINY).rsqrt()
