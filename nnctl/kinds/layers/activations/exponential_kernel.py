"""The activation of convolutional kernel networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.component.types import Positive
from nnctl.kinds.layers.base import Activation, Shape

if TYPE_CHECKING:
    from torch import nn


class ExponentialKernel(Activation):
    """Turn the cosine of two unit vectors into their Gaussian kernel: f(u) = exp((2/σ²) (u − 1)).

    Unit vectors at a cosine of u are √(2 − 2u) apart, so that f is exp(−distance²/σ²). Put it behind a layer that
    gives cosines: `cosine_conv`.

    Shape: any -> same
    """

    kind = "exponential_kernel"
    pointwise = False  # it is for cosines, and no rule for numbers from the whole line holds of it
    paper = "Mairal, End-to-End Kernel Learning with Supervised Convolutional Kernel Networks, 2016"
    formula = "exp((2 / sigma²) (u − 1)), u a cosine"
    derivative = "(2 / sigma²) f"
    range = "[exp(−4 / sigma²), 1]"
    zero_centred = False
    monotone = True
    largest_derivative = "2 at u = 1"
    saturates = "left"
    examples = (Example("exponential_kernel", input=(3, 2)), Example("exponential_kernel: 0.5", input=(4,)))

    sigma: Positive = 1.0
    """Width of the kernel."""

    def gain(self) -> float:
        """Return 1: a cosine has the same size whatever the weights'."""
        return 1.0

    def build(self, x: Shape) -> nn.Module:
        """Return the module."""
        from nnctl.modules.exponential_kernel import ExponentialKernel as Module

        return Module(self.sigma)
