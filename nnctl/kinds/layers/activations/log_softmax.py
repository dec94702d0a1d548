"""The softmax's logarithm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.layers.base import Activation, Shape

if TYPE_CHECKING:
    from torch import nn


class LogSoftmax(Activation):
    """Turn features into log-probabilities: f(z)ᵢ = zᵢ − log Σⱼ exp zⱼ.

    The sum runs over the features of a vector or token, and over the channels at each place of an image.

    Shape: any -> same
    """

    kind = "log_softmax"
    pointwise = False
    formula = "zᵢ − log Σⱼ exp zⱼ"
    derivative = "∂fᵢ/∂zⱼ = [i = j] − exp fⱼ"
    range = "(−∞, 0]"
    zero_centred = False
    monotone = True
    largest_derivative = "1 of fᵢ by zᵢ"
    saturates = "right"
    examples = (Example("log_softmax", input=(4,)), Example("log_softmax", input=(3, 2, 2)))

    def gain(self) -> float:
        """Return 1: what enters a softmax needs no certain size."""
        return 1.0

    def build(self, x: Shape) -> nn.Module:
        """Return torch's log-softmax along the features."""
        from torch import nn

        return nn.LogSoftmax(dim=-1 if x.tokens else 1)
