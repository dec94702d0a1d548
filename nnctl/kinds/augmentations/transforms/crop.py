"""Cut out the middle of images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.component.types import ImageSize, extent_of
from nnctl.kinds.augmentations._images import check_image
from nnctl.kinds.augmentations.base import Transform
from nnctl.kinds.layers.shape import Shape, ShapeError

if TYPE_CHECKING:
    import torch


class Crop(Transform):
    """Keep the middle of images; half a pixel is rounded to the even one, as torchvision does."""

    kind = "crop"
    examples = (Example("crop: 24", input=(3, 32, 32)), Example("crop: [20, 24]", input=(1, 28, 28)))

    size: ImageSize
    """Height and width that stay."""

    def output(self, x: Shape) -> Shape:
        """Return images of the size. Raises ShapeError where they are smaller."""
        check_image(self.kind, x)
        extent = extent_of(self.size)
        if extent[0] > x.space[0] or extent[1] > x.space[1]:
            detail = f"wanted {extent[0]}×{extent[1]}, samples have the shape {x}"
            raise ShapeError("`crop` would have to make images larger", detail, "`resize` them first")
        return x.with_space(extent)

    def change(self, batch: torch.Tensor) -> torch.Tensor:
        """Return the middle of each image."""
        height, width = extent_of(self.size)
        top, left = round((batch.shape[2] - height) / 2), round((batch.shape[3] - width) / 2)
        return batch[:, :, top : top + height, left : left + width]
