"""Cut out a part of random size and shape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.augmentations._images import check_image
from nnctl.kinds.augmentations._ranges import AreaRange, PositiveRange
from nnctl.kinds.augmentations.base import Augmentation
from nnctl.kinds.layers.shape import Shape

if TYPE_CHECKING:
    import torch


_TRIES = 10  # as in Inception's own code and torchvision


class RandomResizedCrop(Augmentation):
    """Cut out a part of random area and proportions at a random place, and bring it back to the old size.

    Area as a share of the image and the logarithm of width/height are uniform. A part that does not fit is drawn again,
    ten times at most; after that the largest middle part whose proportions are allowed is taken.
    """

    kind = "random_resized_crop"
    paper = "C. Szegedy et al.: Going deeper with convolutions, 2015"
    examples = (
        Example("random_resized_crop", input=(3, 32, 32)),
        Example("random_resized_crop: {area: [0.5, 1.0], ratio: [1.0, 1.0]}", input=(3, 24, 32)),
    )

    area: AreaRange = (0.08, 1.0)
    """Least and largest area of the part, as a share of the image."""
    ratio: PositiveRange = (3 / 4, 4 / 3)
    """Least and largest width / height of the part."""

    def check(self, x: Shape) -> None:
        """Raise ShapeError where samples are not images."""
        check_image(self.kind, x)

    def boxes(self, n: int, extent: tuple[int, int], generator: torch.Generator) -> torch.Tensor:
        """Return (N, 4): top, left, height and width of each sample's part of an image of `extent` (height, width)."""
        import torch

        height, width = extent
        area = self.area[0] + (self.area[1] - self.area[0]) * torch.rand(n, _TRIES, generator=generator)
        low, high = torch.tensor(self.ratio, dtype=torch.float64).log().tolist()
        ratio = torch.exp(low + (high - low) * torch.rand(n, _TRIES, generator=generator))
        places = torch.rand(2, n, generator=generator)
        widths = (height * width * area * ratio).sqrt().round().long()
        heights = (height * width * area / ratio).sqrt().round().long()
        fits = (widths >= 1) & (widths <= width) & (heights >= 1) & (heights <= height)
        first = fits.long().argmax(1, keepdim=True)
        fallback = self._middle(height, width)
        tall = torch.where(fits.any(1), heights.gather(1, first)[:, 0], fallback[0])
        wide = torch.where(fits.any(1), widths.gather(1, first)[:, 0], fallback[1])
        top, left = ((places[0] * (height - tall + 1)).long(), (places[1] * (width - wide + 1)).long())
        middle = ~fits.any(1)
        top = torch.where(middle, (height - tall) // 2, top)
        left = torch.where(middle, (width - wide) // 2, left)
        return torch.stack((top, left, tall, wide), 1)

    def _middle(self, height: int, width: int) -> tuple[int, int]:
        """Return height and width of the largest part whose proportions are allowed."""
        if width / height < self.ratio[0]:
            return max(round(width / self.ratio[0]), 1), width
        if width / height > self.ratio[1]:
            return height, max(round(height * self.ratio[1]), 1)
        return height, width

    def apply(self, batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return the parts, brought to the old size."""
        from nnctl.data.pixels.resample import crop_and_resize

        extent = (batch.shape[2], batch.shape[3])
        return crop_and_resize(batch, self.boxes(len(batch), extent, generator), extent)
