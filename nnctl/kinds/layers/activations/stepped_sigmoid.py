"""Stepped sigmoid units."""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.component.types import Count
from nnctl.kinds.layers.activations._gain import gain_of
from nnctl.kinds.layers.base import Activation, Shape

if TYPE_CHECKING:
    from torch import nn


class SteppedSigmoid(Activation):
    """Add up binary units with the same weights and ever lower biases: f(z) = Σᵢ σ(z − i + ½) for i = 1 … units.

    It is within 0.0106 of softplus, log(1 + exp z), as long as z < units − 15; in the end it saturates at `units`.

    Shape: any -> same
    """

    kind = "stepped_sigmoid"
    paper = "Nair & Hinton, Rectified Linear Units Improve Restricted Boltzmann Machines, 2010"
    formula = "Σᵢ σ(z − i + ½), i = 1 … units"
    derivative = "Σᵢ sᵢ (1 − sᵢ) with sᵢ = σ(z − i + ½)"
    range = "(0, units)"
    zero_centred = False
    monotone = True
    largest_derivative = "1.0000 halfway to units"
    saturates = "both sides"
    examples = (Example("stepped_sigmoid", input=(3, 2)), Example("stepped_sigmoid: 3", input=(4,)))

    units: Count = 20
    """How many sigmoids are added."""

    def value(self, z: float) -> float:
        """Return f(z)."""
        # beyond 40 units every further one adds less than 1e-12 to any z that a normal distribution has
        return sum(1 / (1 + exp(i - 0.5 - z)) for i in range(1, min(self.units, 40) + 1))

    def gain(self) -> float:
        """Return 1/√E[f(z)²] for z ~ N(0, 1)."""
        return gain_of(self)

    def build(self, x: Shape) -> nn.Module:
        """Return the module."""
        from nnctl.modules.stepped_sigmoid import SteppedSigmoid as Module

        return Module(self.units)
