"""The hyperbolic tangent."""

from __future__ import annotations

from math import tanh
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.layers.base import Activation, Shape

if TYPE_CHECKING:
    from torch import nn


class Tanh(Activation):
    """Squash every number into (−1, 1): f(z) = tanh z.

    Shape: any -> same
    """

    kind = "tanh"
    paper = "LeCun, Bottou, Orr & Müller, Efficient BackProp, 1998"
    formula = "tanh z"
    derivative = "1 − f²"
    range = "(−1, 1)"
    zero_centred = True
    monotone = True
    largest_derivative = "1 at 0"
    saturates = "both sides"
    examples = (Example("tanh", input=(3, 2)),)

    def value(self, z: float) -> float:
        """Return f(z)."""
        return tanh(z)

    def gain(self) -> float:
        """Return torch's gain, 5/3."""
        return 5 / 3

    def build(self, x: Shape) -> nn.Module:
        """Return torch's tanh."""
        from torch import nn

        return nn.Tanh()
