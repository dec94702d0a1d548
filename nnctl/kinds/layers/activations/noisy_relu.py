"""The noisy rectified linear unit."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.layers.base import Activation, Shape

if TYPE_CHECKING:
    from torch import nn


class NoisyReLU(Activation):
    """Sample in training what stepped sigmoid units would: f(z) = max(0, z + n) with n ~ N(0, σ(z)).

    The noise's variance is the sigmoid of z. In evaluation there is none, and it is a ReLU.

    Shape: any -> same
    """

    kind = "noisy_relu"
    paper = "Nair & Hinton, Rectified Linear Units Improve Restricted Boltzmann Machines, 2010"
    formula = "max(0, z + n), n ~ N(0, σ(z)) in training; max(0, z) in evaluation"
    derivative = "1 + n (1 − σ(z)) / 2 where z + n > 0, else 0"
    range = "[0, ∞)"
    zero_centred = False
    monotone = True
    largest_derivative = "1 where z > 0, without the noise"
    saturates = "left"
    kinks = (0.0,)
    examples = (Example("noisy_relu", input=(3, 2)),)

    def value(self, z: float) -> float:
        """Return f(z) without the noise, as in evaluation."""
        return max(0.0, z)

    def gain(self) -> float:
        """Return the ReLU's, √2: that of evaluation."""
        return sqrt(2)

    def build(self, x: Shape) -> nn.Module:
        """Return the module."""
        from nnctl.modules.noisy_relu import NoisyReLU as Module

        return Module()
