"""The normal initialiser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.component.types import Number, Positive
from nnctl.kinds.initializers.base import Initializer, Place

if TYPE_CHECKING:
    import torch


class Normal(Initializer):
    """Draw from a normal distribution: W ~ N(mean, std²)."""

    kind = "normal"
    examples = (Example("normal: 0.01"), Example("normal: {std: 0.5, mean: 1.0}"))

    std: Positive
    """Standard deviation."""
    mean: Number = 0.0
    """Mean."""

    def mean_square(self, shape: tuple[int, ...], place: Place) -> float | None:
        """Return std² + mean²."""
        return self.std**2 + self.mean**2

    def fill(self, tensor: torch.Tensor, place: Place, generator: torch.Generator) -> None:
        """Draw every entry."""
        from torch import nn

        nn.init.normal_(tensor, self.mean, self.std, generator=generator)
