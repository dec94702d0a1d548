"""The initialiser that sets everything to zero."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.initializers.base import Initializer, Place

if TYPE_CHECKING:
    import torch


class Zero(Initializer):
    """Start at 0: right for biases, and for the last layer of a residual block; other weights never part."""

    kind = "zero"
    examples = (Example("zero"),)

    def mean_square(self, shape: tuple[int, ...], place: Place) -> float | None:
        """Return 0."""
        return 0.0

    def fill(self, tensor: torch.Tensor, place: Place, generator: torch.Generator) -> None:
        """Fill with 0."""
        from torch import nn

        nn.init.zeros_(tensor)
