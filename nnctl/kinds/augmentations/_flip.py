"""What the flips share: which images are mirrored."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from nnctl.component.types import Share
from nnctl.kinds.augmentations._images import check_image
from nnctl.kinds.augmentations.base import Augmentation
from nnctl.kinds.layers.shape import Shape

if TYPE_CHECKING:
    import torch


class Flip(Augmentation):
    """Mirror images along one axis, each with probability `p`."""

    axis: ClassVar[int]
    """The axis of a batch that is reversed."""

    p: Share = 0.5
    """Share of images that are mirrored."""

    def check(self, x: Shape) -> None:
        """Raise ShapeError where samples are not images."""
        check_image(self.kind, x)

    def apply(self, batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return the batch with some images mirrored."""
        import torch

        mirrored = (torch.rand(len(batch), generator=generator) < self.p).to(batch.device, non_blocking=batch.is_cuda)
        return torch.where(mirrored[:, None, None, None], batch.flip(self.axis), batch)
