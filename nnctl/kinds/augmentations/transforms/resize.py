"""Bring images to another size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.component.types import ImageSize, extent_of
from nnctl.kinds.augmentations._images import check_image
from nnctl.kinds.augmentations.base import Transform
from nnctl.kinds.layers.shape import Shape

if TYPE_CHECKING:
    import torch


class Resize(Transform):
    """Scale images to another size: bilinear, and smoothed where they shrink. Proportions are not kept."""

    kind = "resize"
    examples = (Example("resize: 16", input=(3, 32, 32)), Example("resize: [20, 24]", input=(1, 28, 28)))

    size: ImageSize
    """New height and width."""

    def output(self, x: Shape) -> Shape:
        """Return images of the new size."""
        check_image(self.kind, x)
        return x.with_space(extent_of(self.size))

    def change(self, batch: torch.Tensor) -> torch.Tensor:
        """Return the scaled images."""
        import torch
        from torch.nn.functional import interpolate

        values = batch if batch.is_floating_point() else batch.float()
        scaled = interpolate(values, extent_of(self.size), mode="bilinear", antialias=True)
        return scaled if batch.is_floating_point() else scaled.round_().clamp_(0, 255).to(torch.uint8)
