"""Random mirroring."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.component.types import Share
from nnctl.kinds.augmentations._images import check_image
from nnctl.kinds.augmentations.base import Augmentation
from nnctl.kinds.layers.shape import Shape

if TYPE_CHECKING:
    import torch


class HorizontalFlip(Augmentation):
    """Mirror images left to right, each with probability `p`."""

    kind = "horizontal_flip"
    paper = "A. Krizhevsky, I. Sutskever, G. Hinton: ImageNet classification with deep CNNs, 2012"
    examples = (Example("horizontal_flip", input=(3, 32, 32)), Example("horizontal_flip: {p: 0.3}", input=(3, 32, 32)))

    p: Share = 0.5
    """Share of images that are mirrored."""

    def check(self, x: Shape) -> None:
        """Raise ShapeError where samples are not images."""
        check_image(self.kind, x)

    def apply(self, batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return the batch with some images mirrored."""
        import torch

        mirrored = (torch.rand(len(batch), generator=generator) < self.p).to(batch.device, non_blocking=batch.is_cuda)
        return torch.where(mirrored[:, None, None, None], batch.flip(-1), batch)
