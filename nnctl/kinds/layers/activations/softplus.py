"""The smooth rectified linear unit."""

from __future__ import annotations

from math import exp, log1p
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.component.types import Positive
from nnctl.kinds.layers.activations._gain import gain_of
from nnctl.kinds.layers.base import Activation, Shape

if TYPE_CHECKING:
    from torch import nn


class Softplus(Activation):
    """Round off the ReLU's corner: f(z) = log(1 + exp(β z)) / β.

    Where β z is above 20 it is z itself, as in torch; the difference is below 2.1e-9 / β.

    Shape: any -> same
    """

    kind = "softplus"
    paper = "Dugas et al., Incorporating Second-Order Functional Knowledge for Better Option Pricing, 2001"
    formula = "log(1 + exp(beta · z)) / beta"
    derivative = "1 / (1 + exp(−beta · z))"
    range = "(0, ∞)"
    zero_centred = False
    monotone = True
    largest_derivative = "1, far to the right"
    saturates = "left"
    examples = (Example("softplus", input=(3, 2)), Example("softplus: 2", input=(4,)))

    beta: Positive = 1.0
    """β: the larger, the closer to the ReLU."""

    def value(self, z: float) -> float:
        """Return f(z)."""
        # log(1 + exp(v)) = max(0, v) + log(1 + exp(−|v|)) overflows for no v
        return max(0.0, z) + log1p(exp(-abs(self.beta * z))) / self.beta

    def gain(self) -> float:
        """Return 1/√E[f(z)²] for z ~ N(0, 1)."""
        return gain_of(self)

    def build(self, x: Shape) -> nn.Module:
        """Return torch's softplus."""
        from torch import nn

        return nn.Softplus(self.beta)
