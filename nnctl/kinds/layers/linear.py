"""The linear layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.component.types import Count, Flag
from nnctl.kinds.initializers.base import Fans
from nnctl.kinds.layers._windows import need_features
from nnctl.kinds.layers.base import OneWeight, Shape

if TYPE_CHECKING:
    from torch import nn


class Linear(OneWeight):
    """Multiply by a weight matrix and add a bias: z = W x + b.

    Tokens are multiplied one by one, all with the same matrix.

    Shape: (F,) -> (features,); (T, F) tokens -> (T, features) tokens
    """

    kind = "linear"
    examples = (Example("linear: 4", input=(6,)), Example("linear: {features: 3, bias: false}", input=(5,)))

    features: Count
    """Number of output features."""
    bias: Flag = True
    """Whether a bias is added."""

    def output(self, x: Shape) -> Shape:
        """Return the shape with the layer's own number of features."""
        need_features(self.kind, x)
        return x.with_features(self.features)

    def parameters(self, x: Shape) -> int:
        """Return F·features for the weight, and features for the bias."""
        return (x.features + self.bias) * self.features

    def macs(self, x: Shape) -> int:
        """Return F for every number that leaves."""
        return x.features * self.output(x).size

    def fans(self, x: Shape) -> Fans:
        """Return the numbers of features that arrive and leave."""
        return Fans(into=x.features, out=self.features)

    def weight_shape(self, x: Shape) -> tuple[int, ...]:
        """Return (features, F)."""
        return self.features, x.features

    def build(self, x: Shape) -> nn.Module:
        """Return torch's linear layer."""
        from torch import nn

        return nn.Linear(x.features, self.features, bias=self.bias)
