"""Random crops of padded images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.component.types import Count
from nnctl.kinds.augmentations._images import check_image
from nnctl.kinds.augmentations.base import Augmentation
from nnctl.kinds.layers.shape import Shape

if TYPE_CHECKING:
    import torch


class RandomCrop(Augmentation):
    """Pad images with black on all sides, then cut out a part of the old size at a random place.

    Each sample moves by up to `padding` pixels, all (2·padding + 1)² places being equally likely.
    """

    kind = "random_crop"
    paper = "A. Krizhevsky, I. Sutskever, G. Hinton: ImageNet classification with deep CNNs, 2012"
    examples = (Example("random_crop: {padding: 4}", input=(3, 32, 32)),)

    padding: Count
    """Pixels added on each side."""

    def check(self, x: Shape) -> None:
        """Raise ShapeError where samples are not images."""
        check_image(self.kind, x)

    def apply(self, batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return the moved images."""
        import torch

        (n, _, height, width), pad = batch.shape, self.padding
        top, left = torch.randint(2 * pad + 1, (2, n), generator=generator).to(batch.device, non_blocking=batch.is_cuda)
        places = torch.nn.functional.pad(batch, (pad, pad, pad, pad)).unfold(2, height, 1).unfold(3, width, 1)
        return places[torch.arange(n, device=batch.device), :, top, left]
