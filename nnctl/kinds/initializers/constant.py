"""The initialiser that sets everything to one number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.component.types import Number
from nnctl.kinds.initializers.base import Initializer, Place

if TYPE_CHECKING:
    import torch


class Constant(Initializer):
    """Start at one and the same number; the units of a hidden layer then stay equal for ever."""

    kind = "constant"
    examples = (Example("constant: 0.1"),)

    value: Number
    """The number."""

    def mean_square(self, shape: tuple[int, ...], place: Place) -> float | None:
        """Return value²."""
        return self.value**2

    def fill(self, tensor: torch.Tensor, place: Place, generator: torch.Generator) -> None:
        """Fill with `value`."""
        from torch import nn

        nn.init.constant_(tensor, self.value)
