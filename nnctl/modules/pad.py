"""The parameter-free shortcut of residual networks on CIFAR."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class PadShortcut(nn.Module):
    """Every s-th position per axis, then `extra` channels of zeros (He et al., 2016, option A).

    Shape: (N, C, space…) -> (N, C + extra, ⌈space/s⌉…)
    """

    def __init__(self, extra: int, stride: tuple[int, ...]) -> None:
        super().__init__()
        self.extra = extra
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """Return the padded value."""
        every = tuple(slice(None, None, step) for step in self.stride)
        x = x[(slice(None), slice(None), *every)]
        return functional.pad(x, (0, 0) * len(self.stride) + (0, self.extra))
