"""Turn, move, scale and shear images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from nnctl.component.base import Example
from nnctl.component.types import Expected, Share
from nnctl.kinds.augmentations._images import Interpolation, check_image, spread, uniform
from nnctl.kinds.augmentations._ranges import Angles, PositiveRange
from nnctl.kinds.augmentations.base import Augmentation
from nnctl.kinds.layers.shape import Shape

if TYPE_CHECKING:
    import torch


class Affine(Augmentation):
    """Shear, scale, turn and move each image by amounts drawn uniformly; what comes from outside is black."""

    kind = "affine"
    paper = "P. Simard, D. Steinkraus, J. Platt: Best practices for convolutional neural networks, 2003"
    examples = (
        Example("affine: 10", input=(3, 32, 32)),
        Example("affine: {degrees: 10, translate: 0.1, scale: [0.9, 1.1], shear: 5}", input=(1, 28, 28)),
    )

    degrees: Angles = 0.0
    """Largest angle to both sides, or [least, most]; clockwise is positive."""
    translate: Share = 0.0
    """Largest shift to each side, as a share of width and height."""
    scale: PositiveRange = (1.0, 1.0)
    """Least and largest factor of the size."""
    shear: Annotated[float, Field(ge=0, lt=90), Expected("degrees from 0 to below 90")] = 0.0
    """Largest angle by which both axes are sheared, to both sides."""
    interpolation: Interpolation = "bilinear"
    """How pixels between pixels are made."""

    def check(self, x: Shape) -> None:
        """Raise ShapeError where samples are not images."""
        check_image(self.kind, x)

    def apply(self, batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return the changed images."""
        import torch

        from nnctl.data.pixels.warp import inverse_affine, warp

        n, _, height, width = batch.shape
        angle = uniform(generator, n, *spread(self.degrees))
        extent = torch.tensor((width, height)) * self.translate
        shift = (extent * (2 * torch.rand(n, 2, generator=generator) - 1)).round()  # whole pixels blur nothing
        scale = uniform(generator, n, *self.scale)
        shear = self.shear * (2 * torch.rand(n, 2, generator=generator) - 1)
        return warp(batch, inverse_affine(angle, shift, scale, shear), self.interpolation)
