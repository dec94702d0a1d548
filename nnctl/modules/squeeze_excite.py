"""Channels weighted by what the whole image says."""

from __future__ import annotations

from torch import Tensor, nn

_CONVS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


class SqueezeExcite(nn.Module):
    """x · σ(W₂ f(W₁ mean(x) + b₁) + b₂): (N, C, space…) -> same (Hu et al., 2018)."""

    def __init__(self, channels: int, squeeze: int, activation: nn.Module, axes: int) -> None:
        super().__init__()
        self._space = tuple(range(2, 2 + axes))
        self.squeeze = _CONVS[axes - 1](channels, squeeze, 1)
        self.excite = _CONVS[axes - 1](squeeze, channels, 1)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        """Return the weighted channels."""
        mean = x.mean(self._space, keepdim=True)
        gate: Tensor = self.excite(self.activation(self.squeeze(mean))).sigmoid()
        return x * gate
