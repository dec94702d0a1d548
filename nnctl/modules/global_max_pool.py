"""The maximum over all spatial axes."""

from __future__ import annotations

from torch import Tensor, nn


class GlobalMaxPool(nn.Module):
    """The largest value of each channel: (N, C, space…) -> (N, C)."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the maxima; the gradient goes to one place of each channel, as torch's pools send it."""
        return x.flatten(2).max(dim=2).values
