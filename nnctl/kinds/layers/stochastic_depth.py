"""Stochastic depth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.layers._drop import Drop
from nnctl.kinds.layers.base import Shape

if TYPE_CHECKING:
    from torch import nn


class StochasticDepth(Drop):
    """Set whole samples to zero with probability p in training, and divide the others by 1 − p.

    At the end of a residual's body it takes that body out for some samples. In evaluation nothing is dropped.

    Shape: any -> same
    """

    kind = "stochastic_depth"
    paper = "Huang, Sun, Liu, Sedra & Weinberger, Deep Networks with Stochastic Depth, 2016"
    examples = (Example("stochastic_depth: 0.2", input=(2, 3, 3)), Example("stochastic_depth: {keep: 0.8}", input=(4,)))

    def build(self, x: Shape) -> nn.Module:
        """Return torchvision's module, with a mask for each sample."""
        from torchvision.ops import StochasticDepth as Module

        module: nn.Module = Module(self.rate, mode="row")
        return module
