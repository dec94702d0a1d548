"""The convolution that shares no weights."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.component.types import Flag
from nnctl.kinds.layers._kernel import Sliding
from nnctl.kinds.layers.base import Shape, Slot

if TYPE_CHECKING:
    from torch import nn


class LocalConv(Sliding):
    """Look through windows as a convolution does, with a kernel and a bias of its own at every place.

    out = ⌊(in + 2·padding − kernel) / stride⌋ + 1 on each axis.

    Shape: (C, L) -> (channels, L'); (C, H, W) -> (channels, H', W'); (C, D, H, W) -> (channels, D', H', W')
    """

    kind = "local_conv"
    paper = "LeCun, Generalization and Network Design Strategies, 1989"
    examples = (
        Example("local_conv: 2", input=(2, 2, 3)),
        Example("local_conv: {channels: 3, kernel: [2, 3], stride: [1, 2], padding: 0, bias: false}", input=(1, 3, 5)),
        Example("local_conv: {channels: 2, kernel: 2, padding: 1}", input=(3, 4)),
        Example("local_conv: {channels: 1, stride: 2}", input=(1, 3, 2, 3)),
    )

    bias: Flag = True
    """Whether a bias is added to every number that leaves."""

    def parameters(self, x: Shape) -> int:
        """Return C·|kernel| weights, and a bias, for every number that leaves."""
        return self.output(x).size * (self.inputs(x) + self.bias)

    def slots(self, x: Shape) -> tuple[Slot, ...]:
        """Return the weight, a block of rows for each place, and the bias."""
        fans, outputs = self.fans(x), self.output(x)
        weight = Slot("weight", "weight", fans, self.weight_shape(x), parts=prod(outputs.space))
        return (weight, Slot("bias", "bias", fans, (outputs.size,))) if self.bias else (weight,)

    def weight_shape(self, x: Shape) -> tuple[int, ...]:
        """Return a row of C·|kernel| for every number that leaves."""
        return self.output(x).size, self.inputs(x)

    def build(self, x: Shape) -> nn.Module:
        """Return the module."""
        from nnctl.modules.local_conv import LocalConv as Module

        window = self.window(x)
        places = self.output(x).space
        return Module(x.features, self.channels, window.extent, window.stride, self.margins(x), places, self.bias)
