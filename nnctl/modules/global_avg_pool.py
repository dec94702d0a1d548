"""The mean over all spatial axes."""

from __future__ import annotations

from torch import Tensor, nn


class GlobalAvgPool(nn.Module):
    """The mean of each channel: (N, C, space…) -> (N, C)."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the means."""
        return x.mean(dim=tuple(range(2, x.dim())))
