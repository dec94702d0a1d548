"""Instance normalisation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.layers._norm import Norm
from nnctl.kinds.layers._windows import need_space
from nnctl.kinds.layers.base import Shape, ShapeError

if TYPE_CHECKING:
    from torch import nn


class InstanceNorm(Norm):
    """Bring each channel of each sample to mean 0 and variance 1 over space, then scale and shift it.

    y = γ (x − mean) / √(var + eps) + β, the same in training and in evaluation.

    Shape: (C, L), (C, H, W) or (C, D, H, W) -> same
    """

    kind = "instance_norm"
    paper = "Ulyanov, Vedaldi & Lempitsky, Instance Normalization: The Missing Ingredient for Fast Stylization, 2016"
    examples = (
        Example("instance_norm", input=(2, 3, 3)),
        Example("instance_norm: {affine: false}", input=(3, 5)),
        Example("instance_norm: {eps: 0.001}", input=(2, 2, 3, 2)),
    )

    def output(self, x: Shape) -> Shape:
        """Return the same shape. Raises ShapeError where a channel is a single number."""
        space = need_space(self.kind, x)
        if set(space) == {1}:
            raise ShapeError(
                "Each channel is a single number, whose deviation from its mean is 0",
                f"input is {x}",
                "use `batch_norm` or `layer_norm`, or fewer pools or strides before it",
            )
        return x

    def build(self, x: Shape) -> nn.Module:
        """Return torch's instance norm over one, two or three axes."""
        from torch import nn

        norm: Callable[..., nn.Module] = (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)[len(x.space) - 1]
        return norm(x.features, eps=self.eps, affine=self.affine)
