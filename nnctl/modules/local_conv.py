"""A kernel of its own at every place."""

from __future__ import annotations

from math import prod, sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional


class LocalConv(nn.Module):
    """An unshared convolution: (N, C, space…) -> (N, channels, places…).

    `weight` holds, place after place, row by row, a matrix (channels, C·|kernel|); `bias` a number for each output,
    channel after channel, on a single axis, as biases have it: weight decay tells weights by their axes.
    """

    def __init__(
        self,
        into: int,
        channels: int,
        kernel: tuple[int, ...],
        stride: tuple[int, ...],
        padding: tuple[int, ...],
        places: tuple[int, ...],
        bias: bool,
    ) -> None:
        super().__init__()
        self.channels, self.kernel, self.stride, self.places = channels, kernel, stride, places
        self._margins = [rows for axis in reversed(padding) for rows in (axis, axis)]
        self.weight = nn.Parameter(torch.empty(prod(places) * channels, into * prod(kernel)))
        self.bias = nn.Parameter(torch.empty(channels * prod(places))) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start as torch's convolutions do: U(−1/√fan_in, 1/√fan_in)."""
        bound = 1 / sqrt(self.weight.shape[1])
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        """Return the products of each window with its own matrix."""
        axes = len(self.kernel)
        x = functional.pad(x, self._margins)
        for axis, (extent, step) in enumerate(zip(self.kernel, self.stride, strict=True), start=2):
            x = x.unfold(axis, extent, step)  # (N, C, places…, kernel…)
        x = x.movedim(tuple(range(2, 2 + axes)), tuple(range(axes)))
        windows = x.reshape(prod(self.places), x.shape[axes], -1)  # (places, N, C·|kernel|)
        matrices = self.weight.view(len(windows), self.channels, -1)
        y = (windows @ matrices.mT).permute(1, 2, 0).flatten(1)
        return (y if self.bias is None else y + self.bias).view(-1, self.channels, *self.places)
