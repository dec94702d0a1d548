"""The rectified linear unit with a ceiling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.layers.activations._gain import gain_of
from nnctl.kinds.layers.base import Activation, Shape

if TYPE_CHECKING:
    from torch import nn


class ReLU6(Activation):
    """Clip every number to [0, 6]: f(z) = min(max(0, z), 6).

    Shape: any -> same
    """

    kind = "relu6"
    paper = "Krizhevsky, Convolutional Deep Belief Networks on CIFAR-10, 2010"
    formula = "min(max(0, z), 6)"
    derivative = "1 where 0 < z < 6, else 0"
    range = "[0, 6]"
    zero_centred = False
    monotone = True
    largest_derivative = "1 where 0 < z < 6"
    saturates = "both sides"
    kinks = (0.0, 6.0)
    examples = (Example("relu6", input=(3, 2)),)

    def value(self, z: float) -> float:
        """Return f(z)."""
        return min(max(0.0, z), 6.0)

    def gain(self) -> float:
        """Return 1/√E[f(z)²] for z ~ N(0, 1)."""
        return gain_of(self)

    def build(self, x: Shape) -> nn.Module:
        """Return torch's ReLU6."""
        from torch import nn

        return nn.ReLU6()
