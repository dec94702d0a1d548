"""The logistic function."""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.layers.base import Activation, Shape

if TYPE_CHECKING:
    from torch import nn


class Sigmoid(Activation):
    """Squash every number into (0, 1): f(z) = 1 / (1 + exp(−z)).

    Shape: any -> same
    """

    kind = "sigmoid"
    formula = "1 / (1 + exp(−z))"
    derivative = "f (1 − f)"
    range = "(0, 1)"
    zero_centred = False
    monotone = True
    largest_derivative = "0.25 at 0"
    saturates = "both sides"
    examples = (Example("sigmoid", input=(3, 2)),)

    def value(self, z: float) -> float:
        """Return f(z)."""
        return 1 / (1 + exp(-z))

    def gain(self) -> float:
        """Return torch's gain, 1."""
        return 1.0

    def build(self, x: Shape) -> nn.Module:
        """Return torch's sigmoid."""
        from torch import nn

        return nn.Sigmoid()
