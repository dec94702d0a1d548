"""Norms that neither overflow nor underflow before their value does."""

from __future__ import annotations

from math import hypot, isfinite, sqrt

import torch
from torch import Tensor


def wide(tensor: Tensor) -> Tensor:
    """Return a tensor's values in float64, on the CPU where its device has none."""
    if tensor.device.type == "mps":
        tensor = tensor.cpu()
    return tensor.detach().double()


def norm(tensor: Tensor) -> float:
    """Return √Σx². Nothing is squared before it is in float64 and divided by the largest."""
    values = wide(tensor)
    if values.numel() == 0:
        return 0.0
    largest = float(torch.linalg.vector_norm(values, torch.inf))
    if largest == 0 or not isfinite(largest):
        return largest
    return largest * float(torch.linalg.vector_norm(values / largest))


class RootMeanSquare:
    """√(Σx²/n) of values that come in several tensors."""

    def __init__(self) -> None:
        self._norm = 0.0
        self._count = 0

    def add(self, tensor: Tensor) -> None:
        """Take in a tensor."""
        self._norm = hypot(self._norm, norm(tensor))
        self._count += tensor.numel()

    @property
    def value(self) -> float | None:
        """The root mean square so far, or None before the first value."""
        return self._norm / sqrt(self._count) if self._count else None
