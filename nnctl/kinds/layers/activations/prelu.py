"""The parametric rectified linear unit."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Annotated, Literal

from nnctl.component.base import Example
from nnctl.component.types import Expected, NonNegative
from nnctl.kinds.layers.base import Activation, Shape

if TYPE_CHECKING:
    from torch import nn


class PReLU(Activation):
    """Multiply negative numbers by a learned slope γ: f(z) = max(0, z) + γ min(0, z).

    Shape: any -> same
    """

    kind = "prelu"
    paper = "He, Zhang, Ren & Sun, Delving Deep into Rectifiers, 2015"
    formula = "max(0, z) + γ · min(0, z)"
    derivative = "1 where z > 0, else γ"
    range = "(−∞, ∞)"
    zero_centred = False
    monotone = True
    largest_derivative = "1 where z > 0 (γ, if that is above 1)"
    saturates = "no"
    kinks = (0.0,)
    examples = (
        Example("prelu", input=(3, 2)),
        Example("prelu: all", input=(4,)),
        Example("prelu: {per: neuron, start: 0.1}", input=(2, 3, 2)),
    )

    per: Annotated[Literal["channel", "neuron", "all"], Expected("channel, neuron or all")] = "channel"
    """Whether each channel (feature) learns a slope of its own, each single number, or all of them one."""
    start: NonNegative = 0.25
    """γ before training; it is also γ's value in `gain`."""

    def parameters(self, x: Shape) -> int:
        """Return how many slopes are learned."""
        return {"channel": x.features, "neuron": x.size, "all": 1}[self.per]

    def value(self, z: float) -> float:
        """Return f(z) with the slope that training starts with."""
        return z if z > 0 else self.start * z

    def gain(self) -> float:
        """Return torch's gain, √(2 / (1 + γ²))."""
        return sqrt(2 / (1 + self.start**2))

    def build(self, x: Shape) -> nn.Module:
        """Return torch's PReLU over the axis that has slopes of its own."""
        from nnctl.modules.prelu import PReLU

        rows = x.dims[-1:] if x.tokens else x.dims  # what torch sees of a sample: slopes lie along its first axis
        dims = (x.size,) if self.per == "neuron" else rows

        return PReLU(self.parameters(x), self.start, dims)
