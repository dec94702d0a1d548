"""Images cut into tokens."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.component.types import Count, Sizes
from nnctl.kinds.initializers.base import Fans
from nnctl.kinds.layers._windows import need_space, per_axis, quoted
from nnctl.kinds.layers.base import Shape, ShapeError, Slot, Weighted, Window

if TYPE_CHECKING:
    from torch import nn


class PatchEmbedding(Weighted):
    """Cut an image into patches, row by row, and map each linearly to a token.

    It is a convolution whose stride is its kernel, read off row by row.

    Shape: (C, L), (C, H, W) or (C, D, H, W) -> (patches, features) tokens
    """

    kind = "patch_embedding"
    paper = "Dosovitskiy et al., An Image Is Worth 16×16 Words, 2021"
    examples = (
        Example("patch_embedding: {features: 3, patch: 2}", input=(2, 2, 4)),
        Example("patch_embedding: {features: 4, patch: [1, 3]}", input=(2, 2, 3)),
        Example("patch_embedding: {features: 3, patch: 4}", input=(2, 8)),
    )

    features: Count
    """Features of each token."""
    patch: Sizes
    """Extent of a patch, on every axis or per axis; it divides the image's."""

    def output(self, x: Shape) -> Shape:
        """Return a token for each patch. Raises ShapeError where patches do not fill the image."""
        space, patch = need_space(self.kind, x), per_axis("patch", self.patch, x)
        if any(size % extent for size, extent in zip(space, patch, strict=True)):
            raise ShapeError(
                "Patches do not fill the image",
                f"`patch` is {quoted(patch)}, input is {x}",
                f"choose `patch` among the divisors of {quoted(space)}",
            )
        return Shape((prod(space) // prod(patch), self.features), tokens=True)

    def parameters(self, x: Shape) -> int:
        """Return one weight for each number of a patch, and a bias, per feature."""
        return self.features * (self._inputs(x) + 1)

    def macs(self, x: Shape) -> int:
        """Return the weights of a feature for every number that leaves."""
        return self.output(x).size * self._inputs(x)

    def window(self, x: Shape) -> Window:
        """Return the whole space: tokens have no places, and what follows looks at all of them."""
        return Window(x.space, x.space)

    def fans(self, x: Shape) -> Fans:
        """Return the numbers of a patch, and the features."""
        return Fans(into=self._inputs(x), out=self.features)

    def slots(self, x: Shape) -> tuple[Slot, ...]:
        """Return weight and bias of the convolution."""
        fans, shape = self.fans(x), (self.features, x.features, *per_axis("patch", self.patch, x))
        bias = Slot("projection.bias", "bias", fans, (self.features,))
        return Slot("projection.weight", "weight", fans, shape), bias

    def build(self, x: Shape) -> nn.Module:
        """Return the module."""
        from nnctl.modules.patch_embedding import PatchEmbedding as Module

        return Module(x.features, self.features, per_axis("patch", self.patch, x))

    def _inputs(self, x: Shape) -> int:
        return x.features * prod(per_axis("patch", self.patch, x))
