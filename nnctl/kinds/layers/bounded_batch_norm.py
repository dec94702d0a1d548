"""Bounded batch normalisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.component.types import Positive, Share
from nnctl.kinds.layers._batch_norm import OverBatch
from nnctl.kinds.layers.base import Shape

if TYPE_CHECKING:
    from torch import nn


class BoundedBatchNorm(OverBatch):
    """Batch norm that scales all features by nearly the same, so that it does not undo bounded singular values.

    After each optimiser step r = γ / √(Var + eps), with the running variance, is clipped to between m / (1 + bound)
    and m (1 + bound), where m is the mean of r over the features, unless that has fallen to 0 or below.

    Shape: (F,), (C, L), (C, H, W) or (C, D, H, W) -> same
    """

    kind = "bounded_batch_norm"
    paper = "Jia, Tao, Gao & Xu, Improving Training of Deep Neural Networks via Singular Value Bounding, 2017"
    examples = (
        Example("bounded_batch_norm", input=(4,)),
        Example("bounded_batch_norm: 0.1", input=(2, 5)),
        Example("bounded_batch_norm: {bound: 0.5, eps: 0.001, momentum: 0.01}", input=(2, 3, 3)),
    )

    bound: Positive = 1.0
    """How much larger or smaller than the mean a scale may be: within a factor 1 + bound."""
    eps: Positive = 1e-5
    """Added to the variance, so that a constant feature divides by no zero."""
    momentum: Share = 0.1
    """Weight of the present batch in the running averages."""

    def parameters(self, x: Shape) -> int:
        """Return γ and β of every feature."""
        return 2 * x.features

    def build(self, x: Shape) -> nn.Module:
        """Return the module."""
        from nnctl.modules.bounded_batch_norm import BoundedBatchNorm as Module

        return Module(x.features, self.eps, self.momentum, self.bound)
