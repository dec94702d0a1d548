"""The Gaussian error linear unit."""

from __future__ import annotations

from math import erf, pi, sqrt, tanh
from typing import TYPE_CHECKING, Annotated, Literal

from nnctl.component.base import Example
from nnctl.component.types import Expected
from nnctl.kinds.layers.activations._gain import gain_of
from nnctl.kinds.layers.base import Activation, Shape

if TYPE_CHECKING:
    from torch import nn


class GELU(Activation):
    """Weight every number by the share of a normal distribution below it: f(z) = z Φ(z).

    With `approximate: tanh` it is ½ z (1 + tanh(√(2/π) (z + 0.044715 z³))).

    Shape: any -> same
    """

    kind = "gelu"
    paper = "Hendrycks & Gimpel, Gaussian Error Linear Units, 2016"
    formula = "z Φ(z), or with approximate: tanh ½ z (1 + tanh(√(2/π) (z + 0.044715 z³)))"
    derivative = "Φ(z) + z φ(z), or that of the tanh form"
    range = "[−0.17, ∞)"
    zero_centred = False
    monotone = False
    largest_derivative = "1.129 at √2"
    saturates = "left"
    examples = (Example("gelu", input=(3, 2)), Example("gelu: tanh", input=(4,)))

    approximate: Annotated[Literal["none", "tanh"], Expected("none or tanh")] = "none"
    """The exact form, or the one with tanh."""

    def value(self, z: float) -> float:
        """Return f(z)."""
        if self.approximate == "tanh":
            return 0.5 * z * (1 + tanh(sqrt(2 / pi) * (z + 0.044715 * z**3)))
        return 0.5 * z * (1 + erf(z / sqrt(2)))

    def gain(self) -> float:
        """Return 1/√E[f(z)²] for z ~ N(0, 1)."""
        return gain_of(self)

    def build(self, x: Shape) -> nn.Module:
        """Return torch's GELU."""
        from torch import nn

        return nn.GELU(self.approximate)
