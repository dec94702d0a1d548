"""Global average pooling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.layers._whole import GlobalPool
from nnctl.kinds.layers.base import Shape

if TYPE_CHECKING:
    from torch import nn


class GlobalAvgPool(GlobalPool):
    """Take the mean of each channel over the whole space.

    Shape: (C, L), (C, H, W) or (C, D, H, W) -> (C,)
    """

    kind = "global_avg_pool"
    paper = "Lin, Chen & Yan, Network in Network, 2014"
    examples = (Example("global_avg_pool", input=(3, 4, 5)), Example("global_avg_pool", input=(2, 6)))

    def build(self, x: Shape) -> nn.Module:
        """Return the mean as a module."""
        from nnctl.modules.global_avg_pool import GlobalAvgPool as Module

        return Module()
