"""The hard swish."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.layers.activations._gain import gain_of
from nnctl.kinds.layers.base import Activation, Shape

if TYPE_CHECKING:
    from torch import nn


class HardSwish(Activation):
    """Weight every number by its own hard sigmoid: f(z) = z · min(max(z/6 + ½, 0), 1).

    Shape: any -> same
    """

    kind = "hard_swish"
    paper = "Howard et al., Searching for MobileNetV3, 2019"
    formula = "0 where z ≤ −3, z where z ≥ 3, else z (z + 3) / 6"
    derivative = "0 where z ≤ −3, 1 where z ≥ 3, else z / 3 + ½"
    range = "[−0.375, ∞)"
    zero_centred = False
    monotone = False
    largest_derivative = "1.5 just below 3"
    saturates = "left"
    kinks = (-3.0, 3.0)
    examples = (Example("hard_swish", input=(3, 2)),)

    def value(self, z: float) -> float:
        """Return f(z)."""
        return z * min(max(z / 6 + 0.5, 0.0), 1.0)

    def gain(self) -> float:
        """Return 1/√E[f(z)²] for z ~ N(0, 1)."""
        return gain_of(self)

    def build(self, x: Shape) -> nn.Module:
        """Return torch's hard swish."""
        from torch import nn

        return nn.Hardswish()
