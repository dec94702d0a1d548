"""Where each token stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.layers._windows import need_tokens
from nnctl.kinds.layers.base import Layer, Shape

if TYPE_CHECKING:
    from torch import nn


class PositionEmbedding(Layer):
    """Add a learned vector to each token that belongs to its place, at first drawn from N(0, 0.02²).

    Shape: (T, F) tokens -> same
    """

    kind = "position_embedding"
    paper = "Gehring, Auli, Grangier, Yarats & Dauphin, Convolutional Sequence to Sequence Learning, 2017"
    examples = (Example("position_embedding", input=(3, 4), tokens=True),)

    def output(self, x: Shape) -> Shape:
        """Return the same shape."""
        need_tokens(self.kind, x)
        return x

    def parameters(self, x: Shape) -> int:
        """Return one number for each of the input's."""
        return x.size

    def build(self, x: Shape) -> nn.Module:
        """Return the module."""
        from nnctl.modules.position_embedding import PositionEmbedding as Module

        return Module(*x.dims)
