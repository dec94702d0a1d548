"""The scaled exponential linear unit."""

from __future__ import annotations

from math import expm1
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.layers.base import Activation, Shape

if TYPE_CHECKING:
    from torch import nn

_SCALE, _ALPHA = 1.0507009873554805, 1.6732632423543772


class SELU(Activation):
    """Keep mean 0 and variance 1 from layer to layer: f(z) = λ z where z > 0, else λ α (exp(z) − 1).

    λ = 1.0507009873554805 and α = 1.6732632423543772 make N(0, 1) a fixed point.

    Shape: any -> same
    """

    kind = "selu"
    paper = "Klambauer, Unterthiner, Mayr & Hochreiter, Self-Normalizing Neural Networks, 2017"
    formula = "λ z where z > 0, else λ α (exp(z) − 1)"
    derivative = "λ where z > 0, else λ α exp(z)"
    range = "(−1.7581, ∞)"
    zero_centred = True
    monotone = True
    largest_derivative = "1.7581 at 0"
    saturates = "left"
    kinks = (0.0,)
    examples = (Example("selu", input=(3, 2)),)

    def value(self, z: float) -> float:
        """Return f(z)."""
        return _SCALE * (z if z > 0 else _ALPHA * expm1(z))

    def gain(self) -> float:
        """Return torch's gain, 3/4."""
        return 0.75

    def build(self, x: Shape) -> nn.Module:
        """Return torch's SELU."""
        from torch import nn

        return nn.SELU()
