"""The exponential linear unit."""

from __future__ import annotations

from math import expm1
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.component.types import Positive
from nnctl.kinds.layers.activations._gain import gain_of
from nnctl.kinds.layers.base import Activation, Shape

if TYPE_CHECKING:
    from torch import nn


class ELU(Activation):
    """Let negative numbers saturate smoothly: f(z) = z where z > 0, else α (exp(z) − 1).

    Shape: any -> same
    """

    kind = "elu"
    paper = (
        "Clevert, Unterthiner & Hochreiter, Fast and Accurate Deep Network Learning by Exponential Linear Units, 2016"
    )
    formula = "z where z > 0, else alpha · (exp(z) − 1)"
    derivative = "1 where z > 0, else alpha · exp(z)"
    range = "(−alpha, ∞)"
    zero_centred = False
    monotone = True
    largest_derivative = "1 where z > 0 (alpha at 0, if that is above 1)"
    saturates = "left"
    kinks = (0.0,)  # none where alpha is 1
    examples = (Example("elu", input=(3, 2)), Example("elu: 0.5", input=(4,)))

    alpha: Positive = 1.0
    """α: the lowest value is −α, and the derivative at 0 is α."""

    def value(self, z: float) -> float:
        """Return f(z)."""
        return z if z > 0 else self.alpha * expm1(z)

    def gain(self) -> float:
        """Return 1/√E[f(z)²] for z ~ N(0, 1)."""
        return gain_of(self)

    def build(self, x: Shape) -> nn.Module:
        """Return torch's ELU."""
        from torch import nn

        return nn.ELU(self.alpha)
