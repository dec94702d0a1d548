"""The maxout layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.component.types import Count
from nnctl.kinds.initializers.base import Fans
from nnctl.kinds.layers._windows import need_features
from nnctl.kinds.layers.base import Shape, Slot, Weighted

if TYPE_CHECKING:
    from torch import nn


class Maxout(Weighted):
    """Take the largest of `pieces` linear maps, per output feature: y = max_k (W_k x + b_k).

    It is convex, piecewise linear in x and saturates nowhere; two pieces can be a ReLU, a leaky ReLU or |z|.

    Shape: (F,) -> (features,); (T, F) tokens -> (T, features) tokens
    """

    kind = "maxout"
    paper = "Goodfellow, Warde-Farley, Mirza, Courville & Bengio, Maxout Networks, 2013"
    examples = (
        Example("maxout: 4", input=(6,)),
        Example("maxout: {features: 2, pieces: 3}", input=(2, 3), tokens=True),
    )

    features: Count
    """Number of output features."""
    pieces: Count = 2
    """Linear maps to take the maximum over."""

    def output(self, x: Shape) -> Shape:
        """Return as many features as asked for."""
        need_features(self.kind, x)
        return x.with_features(self.features)

    def parameters(self, x: Shape) -> int:
        """Return weights and biases of all pieces."""
        return self.pieces * self.features * (x.features + 1)

    def macs(self, x: Shape) -> int:
        """Return those of all pieces."""
        return self.pieces * x.features * self.output(x).size

    def fans(self, x: Shape) -> Fans:
        """Return the numbers of features that arrive and leave."""
        return Fans(into=x.features, out=self.features)

    def slots(self, x: Shape) -> tuple[Slot, ...]:
        """Return weight and bias, a block of rows for each piece."""
        fans, rows = self.fans(x), self.pieces * self.features
        weight = Slot("weight", "weight", fans, (rows, x.features), parts=self.pieces)
        return weight, Slot("bias", "bias", fans, (rows,), parts=self.pieces)

    def build(self, x: Shape) -> nn.Module:
        """Return the module for `x.features` inputs."""
        from nnctl.modules.maxout import Maxout as Module

        return Module(x.features, self.features, self.pieces)
