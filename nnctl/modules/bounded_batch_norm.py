"""Batch norm whose scales stay close to one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from torch import Tensor


class BoundedBatchNorm(nn.modules.batchnorm._BatchNorm):
    """Batch norm over any number of axes; `after_step` bounds its scales (Jia et al., 2017)."""

    def __init__(self, features: int, eps: float, momentum: float, bound: float) -> None:
        super().__init__(features, eps, momentum)
        self.bound = bound

    @torch.no_grad()
    def after_step(self) -> None:
        """Bring r = γ / √(Var + eps) of every feature to within a factor 1 + bound of their mean, while training."""
        if not self.training:  # frozen
            return
        assert self.running_var is not None
        deviation = (self.running_var + self.eps).sqrt()
        scales = self.weight / deviation
        mean, factor = scales.mean(), 1 + self.bound
        bounded = scales.clamp(mean / factor, mean * factor) * deviation
        self.weight.copy_(torch.where(mean > 0, bounded, self.weight))  # below 0 there is nothing to stay close to

    def _check_input_dim(self, input: Tensor) -> None:
        """Take what `nnctl check` let pass."""
