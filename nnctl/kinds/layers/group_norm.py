"""Group normalisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.component.types import Count
from nnctl.kinds.layers._norm import Norm
from nnctl.kinds.layers._windows import called
from nnctl.kinds.layers.base import Shape, ShapeError

if TYPE_CHECKING:
    from torch import nn


class GroupNorm(Norm):
    """Bring each group of features of each sample to mean 0 and variance 1, then scale and shift every feature.

    y = γ (x − mean) / √(var + eps) + β; in feature maps mean and variance run over the group's channels and over
    space. It does not depend on the batch. One group is `layer_norm`, one for each channel is `instance_norm`.

    Shape: (F,), (C, L), (C, H, W) or (C, D, H, W) -> same
    """

    kind = "group_norm"
    paper = "Wu & He, Group Normalization, 2018"
    examples = (
        Example("group_norm: 2", input=(4, 3, 3)),
        Example("group_norm: {groups: 2, affine: false}", input=(6,)),
        Example("group_norm: {groups: 3, eps: 0.001}", input=(3, 4)),
    )

    groups: Count
    """Equal parts into which the features are cut, in order."""

    def output(self, x: Shape) -> Shape:
        """Return the same shape. Raises ShapeError where the features cannot be cut so, or a group is one number."""
        if x.tokens:
            raise ShapeError(
                f"`group_norm` takes a vector, a signal, an image or a volume, not {called(x)}",
                f"expected (features,) or (channels, space…), got {x}",
                "use `layer_norm`",
            )
        if x.features % self.groups:
            raise ShapeError(
                f"The features that arrive cannot be cut into {self.groups} equal groups",
                f"`groups` is {self.groups}, input is {x}",
                f"choose `groups` among the divisors of {x.features}",
            )
        if x.size == self.groups:
            raise ShapeError(
                "Each group would hold a single number, whose deviation from its mean is 0",
                f"`groups` is {self.groups}, input is {x}",
                "choose fewer `groups`",
            )
        return x

    def build(self, x: Shape) -> nn.Module:
        """Return torch's group norm."""
        from torch import nn

        return nn.GroupNorm(self.groups, x.features, eps=self.eps, affine=self.affine)
