"""The softmax."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.layers.base import Activation, Shape

if TYPE_CHECKING:
    from torch import nn


class Softmax(Activation):
    """Turn features into probabilities that sum to 1: f(z)ᵢ = exp zᵢ / Σⱼ exp zⱼ.

    The sum runs over the features of a vector or token, and over the channels at each place of an image.

    Shape: any -> same
    """

    kind = "softmax"
    pointwise = False
    formula = "exp zᵢ / Σⱼ exp zⱼ"
    derivative = "∂fᵢ/∂zⱼ = fᵢ ([i = j] − fⱼ)"
    range = "[0, 1]"
    zero_centred = False
    monotone = True
    largest_derivative = "0.25 of fᵢ by zᵢ"
    saturates = "both sides"
    examples = (Example("softmax", input=(4,)), Example("softmax", input=(3, 2, 2)))

    def gain(self) -> float:
        """Return 1: what enters a softmax needs no certain size."""
        return 1.0

    def build(self, x: Shape) -> nn.Module:
        """Return torch's softmax along the features."""
        from torch import nn

        return nn.Softmax(dim=-1 if x.tokens else 1)
