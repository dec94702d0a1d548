"""Max pooling."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.layers._pool import Pool

if TYPE_CHECKING:
    from torch import nn


class MaxPool(Pool):
    """Take the largest value of every window, per channel.

    out = ⌊(in + 2·padding − kernel) / stride⌋ + 1 on each axis, rounded up with `ceil`. Padding never wins.

    Shape: (C, L) -> (C, L'); (C, H, W) -> (C, H', W'); (C, D, H, W) -> (C, D', H', W')
    """

    kind = "max_pool"
    examples = (
        Example("max_pool: 2", input=(2, 4, 6)),
        Example("max_pool: {kernel: 3, stride: 2, padding: 1}", input=(2, 8)),
        Example("max_pool: {kernel: 2, ceil: true}", input=(1, 3, 4, 5)),
    )

    def by_axes(self) -> tuple[Callable[..., nn.Module], ...]:
        """Return torch's max pooling over one, two and three axes."""
        from torch import nn

        return nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d
