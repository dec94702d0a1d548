"""Adaptive average pooling."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.layers._adaptive import AdaptivePool

if TYPE_CHECKING:
    from torch import nn


class AdaptiveAvgPool(AdaptivePool):
    """Take the mean of windows that leave a given size, whatever size arrives.

    Place i of an axis covers ⌊i·in/size⌋ up to, not including, ⌈(i + 1)·in/size⌉.

    Shape: (C, L) -> (C, size); (C, H, W) -> (C, size, size); (C, D, H, W) -> (C, size, size, size)
    """

    kind = "adaptive_avg_pool"
    examples = (
        Example("adaptive_avg_pool: 3", input=(2, 7, 5)),
        Example("adaptive_avg_pool: [2, 3]", input=(2, 2, 4)),
        Example("adaptive_avg_pool: 4", input=(2, 9)),
    )

    def by_axes(self) -> tuple[Callable[..., nn.Module], ...]:
        """Return torch's adaptive pooling over one, two and three axes."""
        from torch import nn

        return nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d
