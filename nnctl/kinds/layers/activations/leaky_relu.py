"""The leaky rectified linear unit."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.component.types import NonNegative
from nnctl.kinds.layers.base import Activation, Shape

if TYPE_CHECKING:
    from torch import nn


class LeakyReLU(Activation):
    """Multiply negative numbers by a small slope γ: f(z) = max(0, z) + γ min(0, z).

    Shape: any -> same
    """

    kind = "leaky_relu"
    paper = "Maas, Hannun & Ng, Rectifier Nonlinearities Improve Neural Network Acoustic Models, 2013"
    formula = "max(0, z) + slope · min(0, z)"
    derivative = "1 where z > 0, else slope"
    range = "(−∞, ∞)"
    zero_centred = False
    monotone = True
    largest_derivative = "1 where z > 0 (slope, if that is above 1)"
    saturates = "no"
    kinks = (0.0,)
    examples = (Example("leaky_relu", input=(3, 2)), Example("leaky_relu: 0.2", input=(4,)))

    slope: NonNegative = 0.01
    """γ, the derivative at and below 0."""

    def value(self, z: float) -> float:
        """Return f(z)."""
        return z if z > 0 else self.slope * z

    def gain(self) -> float:
        """Return torch's gain, √(2 / (1 + γ²))."""
        return sqrt(2 / (1 + self.slope**2))

    def build(self, x: Shape) -> nn.Module:
        """Return torch's leaky ReLU."""
        from torch import nn

        return nn.LeakyReLU(self.slope)
