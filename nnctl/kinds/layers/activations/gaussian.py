"""The Gaussian bump."""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.layers.base import Activation, Shape

if TYPE_CHECKING:
    from torch import nn


class Gaussian(Activation):
    """Answer to numbers near 0 alone: f(z) = exp(−z²).

    Shape: any -> same
    """

    kind = "gaussian"
    paper = "Hartman, Keeler & Kowalski, Layered Neural Networks with Gaussian Hidden Units, 1990"
    formula = "exp(−z²)"
    derivative = "−2 z exp(−z²)"
    range = "(0, 1]"
    zero_centred = False
    monotone = False
    largest_derivative = "0.8578 at −1/√2"
    saturates = "both sides"
    examples = (Example("gaussian", input=(3, 2)),)

    def value(self, z: float) -> float:
        """Return f(z)."""
        return exp(-z * z)

    def gain(self) -> float:
        """Return 1/√E[f(z)²] for z ~ N(0, 1), where E[exp(−2 z²)] = 1/√5."""
        return 5**0.25

    def build(self, x: Shape) -> nn.Module:
        """Return the module."""
        from nnctl.modules.gaussian import Gaussian as Module

        return Module()
