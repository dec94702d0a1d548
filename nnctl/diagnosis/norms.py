"""Norms that neither overflow nor underflow before their value does."""

from __future__ import annotations

from math import hypot, isfinite, sqrt

import torch
from torch import Tensor

_LEAST = 1e-100
"""Above this no square that float64 has rounded to 0 counts. The norms of float32 numbers lie there, or are 0."""


def wide(tensor: Tensor) -> Tensor:
    """Return a tensor's values in float64, on the CPU where its device has none."""
    if tensor.device.type == "mps":
        tensor = tensor.cpu()
    return tensor.detach().double()


def ordinary(least: float, most: float) -> bool:
    """Return whether norms from `least` to `most` are right although nothing was scaled before it was squared."""
    return least > _LEAST and isfinite(most)


def norm(tensor: Tensor) -> float:
    """Return √Σx². Nothing is squared before it is in float64; what even that cannot hold is divided by the largest."""
    values = wide(tensor)
    if values.numel() == 0:
        return 0.0
    size = float(torch.linalg.vector_norm(values))
    if ordinary(size, size):
        return size
    largest = float(torch.linalg.vector_norm(values, torch.inf))
    if largest == 0 or not isfinite(largest):
        return largest
    return largest * float(torch.linalg.vector_norm(values / largest))


class RootMeanSquare:
    """√(Σx²/n) of values that come in several tensors."""

    def __init__(self) -> None:
        self._norm = 0.0
        self._count = 0

    def add(self, tensor: Tensor) -> float:
        """Take in a tensor and return its norm."""
        size = norm(tensor)
        self._norm = hypot(self._norm, size)
        self._count += tensor.numel()
        return size

    @property
    def value(self) -> float | None:
        """The root mean square so far, or None before the first value."""
        return self._norm / sqrt(self._count) if self._count else None
