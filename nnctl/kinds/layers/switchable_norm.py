"""Switchable normalisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.component.types import Positive, Share
from nnctl.kinds.layers._windows import everywhere, need_space
from nnctl.kinds.layers.base import Layer, Shape, Window

if TYPE_CHECKING:
    from torch import nn


class SwitchableNorm(Layer):
    """Learn which of instance, layer and batch norm to use: mix their means, and their variances.

    y = γ (x − Σ w_k mean_k) / √(Σ w′_k var_k + eps) + β for k in instance, layer, batch, where w and w′ are the
    softmax of three learned numbers each, at first equal. Variances are biased, as in those norms. Evaluation uses
    running averages of the batch's mean and variance, kept as `batch_norm` keeps them.

    Shape: (C, L), (C, H, W) or (C, D, H, W) -> same
    """

    kind = "switchable_norm"
    paper = "Luo, Ren, Peng, Zhang & Li, Differentiable Learning-to-Normalize via Switchable Normalization, 2019"
    keeps_scale = True
    examples = (
        Example("switchable_norm", input=(3, 3, 2)),
        Example("switchable_norm: {eps: 0.001, momentum: 0.3}", input=(2, 5)),
    )

    eps: Positive = 1e-5
    """Added to the variance, so that a constant input divides by no zero."""
    momentum: Share = 0.1
    """Weight of the present batch in the running averages."""

    def output(self, x: Shape) -> Shape:
        """Return the same shape."""
        need_space(self.kind, x)
        return x

    def parameters(self, x: Shape) -> int:
        """Return γ and β of every channel, and three weights each for mean and variance."""
        return 2 * x.features + 6

    def window(self, x: Shape) -> Window:
        """Return the whole space, over which the statistics run."""
        return everywhere(x)

    def build(self, x: Shape) -> nn.Module:
        """Return the module."""
        from nnctl.modules.switchable_norm import SwitchableNorm as Module

        return Module(x.features, self.eps, self.momentum)
