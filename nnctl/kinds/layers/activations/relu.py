"""The rectified linear unit."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.layers.base import Activation, Shape

if TYPE_CHECKING:
    from torch import nn


class ReLU(Activation):
    """Set negative numbers to zero: f(z) = max(0, z).

    Shape: any -> same
    """

    kind = "relu"
    paper = "Nair & Hinton, Rectified Linear Units Improve Restricted Boltzmann Machines, 2010"
    formula = "max(0, z)"
    derivative = "1 where z > 0, else 0"
    range = "[0, ∞)"
    zero_centred = False
    monotone = True
    largest_derivative = "1 where z > 0"
    saturates = "left"
    kinks = (0.0,)
    examples = (Example("relu", input=(3, 2)),)

    def value(self, z: float) -> float:
        """Return f(z)."""
        return max(0.0, z)

    def gain(self) -> float:
        """Return torch's gain, √2."""
        return sqrt(2)

    def build(self, x: Shape) -> nn.Module:
        """Return torch's ReLU."""
        from torch import nn

        return nn.ReLU()
