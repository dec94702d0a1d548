"""Weight normalisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.component.types import Flag
from nnctl.kinds.layers._reparametrised import Reparametrised
from nnctl.kinds.layers.base import Shape

if TYPE_CHECKING:
    from torch import nn


class WeightNorm(Reparametrised):
    """Use a layer's weight by its direction alone: each output's row is w = g v / ‖v‖, with g at first 1.

    While g is 1 the squares of the weight's singular values sum to the number of outputs. An `init` sets v.

    Shape: as the layer inside -> as the layer inside
    """

    kind = "weight_norm"
    paper = "Salimans & Kingma, Weight Normalization, 2016"
    examples = (
        Example("weight_norm: {linear: 3}", input=(4,)),
        Example("weight_norm: {layer: {conv: {channels: 2, bias: false}}, gain: false}", input=(2, 3, 3)),
    )

    gain: Flag = True
    """Whether the lengths g are learned, one for each output; if not, they stay 1."""

    def parameters(self, x: Shape) -> int:
        """Return those of the layer inside, and a length for each output."""
        return self.layer.parameters(x) + (self.output(x).features if self.gain else 0)

    def build(self, x: Shape) -> nn.Module:
        """Return the module around torch's."""
        from nnctl.modules.weight_norm import WeightNorm as Module

        return Module(self.layer.build(x), self.output(x).features, self.gain)
