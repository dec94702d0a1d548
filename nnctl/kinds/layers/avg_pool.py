"""Average pooling."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.layers._pool import Pool

if TYPE_CHECKING:
    from torch import nn


class AvgPool(Pool):
    """Take the mean of every window, per channel; padding counts as zeros.

    out = ⌊(in + 2·padding − kernel) / stride⌋ + 1 on each axis, rounded up with `ceil`.

    Shape: (C, L) -> (C, L'); (C, H, W) -> (C, H', W'); (C, D, H, W) -> (C, D', H', W')
    """

    kind = "avg_pool"
    examples = (
        Example("avg_pool: 2", input=(2, 4, 6)),
        Example("avg_pool: {kernel: 3, stride: 2, padding: 1, ceil: true}", input=(2, 8)),
        Example("avg_pool: [1, 2, 2]", input=(1, 3, 4, 5)),
    )

    def by_axes(self) -> tuple[Callable[..., nn.Module], ...]:
        """Return torch's average pooling over one, two and three axes."""
        from torch import nn

        return nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d
