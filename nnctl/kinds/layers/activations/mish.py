"""Mish."""

from __future__ import annotations

from math import exp, log1p, tanh
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.layers.activations._gain import gain_of
from nnctl.kinds.layers.base import Activation, Shape

if TYPE_CHECKING:
    from torch import nn


class Mish(Activation):
    """Weight every number by the tanh of its softplus: f(z) = z tanh(log(1 + exp(z))).

    Shape: any -> same
    """

    kind = "mish"
    paper = "Misra, Mish: A Self Regularized Non-Monotonic Activation Function, 2020"
    formula = "z tanh(ζ(z)), ζ(z) = log(1 + exp(z))"
    derivative = "tanh(ζ(z)) + z σ(z) (1 − tanh²(ζ(z)))"
    range = "[−0.3088, ∞)"
    zero_centred = False
    monotone = False
    largest_derivative = "1.0885 at 1.4908"
    saturates = "left"
    examples = (Example("mish", input=(3, 2)),)

    def value(self, z: float) -> float:
        """Return f(z)."""
        return z * tanh(log1p(exp(z)))

    def gain(self) -> float:
        """Return 1/√E[f(z)²] for z ~ N(0, 1)."""
        return gain_of(self)

    def build(self, x: Shape) -> nn.Module:
        """Return torch's mish."""
        from torch import nn

        return nn.Mish()
