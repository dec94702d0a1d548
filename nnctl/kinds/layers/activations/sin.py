"""The sine."""

from __future__ import annotations

from math import exp, sin, sqrt
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.layers.base import Activation, Shape

if TYPE_CHECKING:
    from torch import nn


class Sin(Activation):
    """Take the sine of every number: f(z) = sin z.

    Shape: any -> same
    """

    kind = "sin"
    paper = "Parascandolo, Huttunen & Virtanen, Taming the Waves: Sine as Activation Function, 2017"
    formula = "sin z"
    derivative = "cos z"
    range = "[−1, 1]"
    zero_centred = True
    monotone = False
    largest_derivative = "1 at every 2πk"
    saturates = "no"
    examples = (Example("sin", input=(3, 2)),)

    def value(self, z: float) -> float:
        """Return f(z)."""
        return sin(z)

    def gain(self) -> float:
        """Return 1/√E[f(z)²] for z ~ N(0, 1), where E[sin² z] = (1 − exp(−2)) / 2."""
        return sqrt(2 / (1 - exp(-2)))

    def build(self, x: Shape) -> nn.Module:
        """Return the module."""
        from nnctl.modules.sin import Sin as Module

        return Module()
