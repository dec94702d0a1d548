"""Blacken a square."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.component.types import Count, Share
from nnctl.kinds.augmentations._images import check_image
from nnctl.kinds.augmentations.base import Augmentation
from nnctl.kinds.layers.shape import Shape, ShapeError

if TYPE_CHECKING:
    import torch


class Cutout(Augmentation):
    """Fill a square of each image with one shade; its middle is anywhere, so that a part of it may lie outside.

    It corrupts: `data.input` as a target is the input without it.
    """

    kind = "cutout"
    corrupts = True
    paper = "T. DeVries, G. Taylor: Improved regularization of convolutional neural networks with cutout, 2017"
    examples = (Example("cutout: 8", input=(3, 32, 32)), Example("cutout: {size: 5, fill: 0.5}", input=(1, 28, 28)))

    size: Count
    """Height and width of the square."""
    fill: Share = 0.0
    """Its shade, from 0 for black to 1 for white."""

    def check(self, x: Shape) -> None:
        """Raise ShapeError where samples are not images, or the square would hide all of one."""
        check_image(self.kind, x)
        if self.size >= 2 * min(x.space):
            raise ShapeError(
                "`cutout` would hide whole images", f"a square of {self.size} on samples of {x}", "give a smaller size"
            )

    def apply(self, batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return the images with a square each."""
        import torch

        n, _, height, width = batch.shape
        middle_y, middle_x = (torch.randint(extent, (n,), generator=generator) for extent in (height, width))
        rows = self._within(middle_y, height).to(batch.device, non_blocking=batch.is_cuda)
        columns = self._within(middle_x, width).to(batch.device, non_blocking=batch.is_cuda)
        shade = round(255 * self.fill) if batch.dtype == torch.uint8 else self.fill
        return batch.masked_fill((rows[:, :, None] & columns[:, None, :])[:, None], shade)

    def _within(self, middle: torch.Tensor, extent: int) -> torch.Tensor:
        """Return (N, extent): which places of an axis the square covers."""
        import torch

        place, first = torch.arange(extent), middle[:, None] - self.size // 2
        return (place >= first) & (place < first + self.size)
