"""Global max pooling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.layers._whole import GlobalPool
from nnctl.kinds.layers.base import Shape

if TYPE_CHECKING:
    from torch import nn


class GlobalMaxPool(GlobalPool):
    """Take the largest value of each channel over the whole space.

    Shape: (C, L), (C, H, W) or (C, D, H, W) -> (C,)
    """

    kind = "global_max_pool"
    examples = (Example("global_max_pool", input=(3, 4, 5)), Example("global_max_pool", input=(2, 6)))

    def build(self, x: Shape) -> nn.Module:
        """Return the maximum as a module."""
        from nnctl.modules.global_max_pool import GlobalMaxPool as Module

        return Module()
