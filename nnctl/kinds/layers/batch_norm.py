"""Batch normalisation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.component.types import Flag, Positive, Share
from nnctl.kinds.layers._batch_norm import OverBatch
from nnctl.kinds.layers.base import Shape

if TYPE_CHECKING:
    from torch import nn


class BatchNorm(OverBatch):
    """Bring each feature to mean 0 and variance 1 over the batch, then scale and shift it.

    y = γ (x − E x) / √(Var x + eps) + β, where mean and variance run over the batch and, in feature maps, over
    space. Evaluation uses running averages: r ← (1 − momentum) r + momentum · (this batch's value).

    Shape: (F,), (C, L), (C, H, W) or (C, D, H, W) -> same
    """

    kind = "batch_norm"
    paper = "Ioffe & Szegedy, Batch Normalization, 2015"
    examples = (
        Example("batch_norm", input=(4,)),
        Example("batch_norm: {affine: false}", input=(2, 5)),
        Example("batch_norm: {eps: 0.001, momentum: 0.01}", input=(2, 3, 3)),
        Example("batch_norm", input=(2, 2, 3, 2)),
    )

    eps: Positive = 1e-5
    """Added to the variance, so that a constant feature divides by no zero."""
    momentum: Share = 0.1
    """Weight of the present batch in the running averages."""
    affine: Flag = True
    """Whether γ and β are learned, one pair per feature."""

    def parameters(self, x: Shape) -> int:
        """Return γ and β of every feature."""
        return 2 * x.features if self.affine else 0

    def build(self, x: Shape) -> nn.Module:
        """Return torch's batch norm for vectors and signals, images or volumes."""
        from torch import nn

        norm: Callable[..., nn.Module]
        norm = (nn.BatchNorm1d, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)[len(x.space)]
        return norm(x.features, eps=self.eps, momentum=self.momentum, affine=self.affine)
