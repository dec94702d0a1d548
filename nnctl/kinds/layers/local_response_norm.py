"""Local response normalisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.component.types import Count, NonNegative, Positive
from nnctl.kinds.layers._windows import need_space
from nnctl.kinds.layers.base import Layer, Shape

if TYPE_CHECKING:
    from torch import nn


class LocalResponseNorm(Layer):
    """Divide each number by the strength of the neighbouring channels at its place.

    y_c = x_c / (k + alpha Σ x_j²)^beta, where j runs over the `size` channels around c that there are. Alpha is not
    divided by `size`; torch and Caffe divide, so their 5e-4 is 1e-4 here.

    Shape: (C, L), (C, H, W) or (C, D, H, W) -> same
    """

    kind = "local_response_norm"
    paper = "Krizhevsky, Sutskever & Hinton, ImageNet Classification with Deep Convolutional Neural Networks, 2012"
    keeps_scale = True
    examples = (
        Example("local_response_norm", input=(7, 2, 2)),
        Example("local_response_norm: {size: 3, alpha: 0.5, beta: 0.5, k: 1.0}", input=(4, 3)),
        Example("local_response_norm: {size: 2, alpha: 0.1}", input=(3, 2, 1, 2)),
    )

    size: Count = 5
    """Channels that count, the number's own in their middle."""
    alpha: NonNegative = 1e-4
    """Weight of the sum of squares."""
    beta: Positive = 0.75
    """Exponent."""
    k: Positive = 2.0
    """What the sum is added to."""

    def output(self, x: Shape) -> Shape:
        """Return the same shape."""
        need_space(self.kind, x)
        return x

    def build(self, x: Shape) -> nn.Module:
        """Return torch's module, whose alpha belongs to the mean of squares."""
        from torch import nn

        return nn.LocalResponseNorm(self.size, alpha=self.alpha * self.size, beta=self.beta, k=self.k)
