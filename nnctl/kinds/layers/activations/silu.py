"""The sigmoid linear unit, also called swish."""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.layers.activations._gain import gain_of
from nnctl.kinds.layers.base import Activation, Shape

if TYPE_CHECKING:
    from torch import nn


class SiLU(Activation):
    """Weight every number by its own sigmoid: f(z) = z σ(z).

    Shape: any -> same
    """

    kind = "silu"
    paper = "Ramachandran, Zoph & Le, Searching for Activation Functions, 2017"
    formula = "z / (1 + exp(−z))"
    derivative = "σ(z) (1 + z (1 − σ(z)))"
    range = "[−0.2785, ∞)"
    zero_centred = False
    monotone = False
    largest_derivative = "1.0998 at 2.3994"
    saturates = "left"
    examples = (Example("silu", input=(3, 2)),)

    def value(self, z: float) -> float:
        """Return f(z)."""
        return z / (1 + exp(-z))

    def gain(self) -> float:
        """Return 1/√E[f(z)²] for z ~ N(0, 1)."""
        return gain_of(self)

    def build(self, x: Shape) -> nn.Module:
        """Return torch's SiLU."""
        from torch import nn

        return nn.SiLU()
