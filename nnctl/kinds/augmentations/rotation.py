"""Turn images by random angles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.augmentations._images import Interpolation, check_image, spread, uniform
from nnctl.kinds.augmentations._ranges import Angles
from nnctl.kinds.augmentations.base import Augmentation
from nnctl.kinds.layers.shape import Shape

if TYPE_CHECKING:
    import torch


class Rotation(Augmentation):
    """Turn each image about its middle by an angle drawn uniformly; corners that come from outside are black."""

    kind = "rotation"
    paper = "P. Simard, D. Steinkraus, J. Platt: Best practices for convolutional neural networks, 2003"
    examples = (
        Example("rotation: 15", input=(3, 32, 32)),
        Example("rotation: {degrees: [0, 90], interpolation: nearest}", input=(1, 28, 28)),
    )

    degrees: Angles
    """Largest angle to both sides, or [least, most]; clockwise is positive."""
    interpolation: Interpolation = "bilinear"
    """How pixels between pixels are made."""

    def check(self, x: Shape) -> None:
        """Raise ShapeError where samples are not images."""
        check_image(self.kind, x)

    def apply(self, batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return the turned images."""
        from nnctl.data.pixels.warp import turn

        return turn(batch, uniform(generator, len(batch), *spread(self.degrees)), self.interpolation)
