"""Change the colours of images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from nnctl.component.base import Example
from nnctl.component.types import Expected, NonNegative
from nnctl.kinds.augmentations._images import check_colours, uniform
from nnctl.kinds.augmentations.base import Augmentation
from nnctl.kinds.layers.shape import Shape

if TYPE_CHECKING:
    import torch


class ColorJitter(Augmentation):
    """Change brightness, contrast, saturation and hue of each image, in this order.

    The first three are factors drawn uniformly from [max(0, 1 − a), 1 + a], the hue is turned by up to `hue` of the
    colour circle to both sides. Grey images have no saturation and no hue.
    """

    kind = "color_jitter"
    paper = "A. Howard: Some improvements on deep convolutional neural network based image classification, 2013"
    examples = (
        Example("color_jitter: {brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1}", input=(3, 32, 32)),
        Example("color_jitter: 0.3", input=(1, 28, 28)),
    )

    brightness: NonNegative = 0.0
    """By how much the factor of the brightness differs from 1 at most."""
    contrast: NonNegative = 0.0
    """The same of the distance from the mean brightness."""
    saturation: NonNegative = 0.0
    """The same of the distance from grey."""
    hue: Annotated[float, Field(ge=0, le=0.5), Expected("a number from 0 to 0.5")] = 0.0
    """Largest turn of the hue, as a share of the colour circle."""

    def check(self, x: Shape) -> None:
        """Raise ShapeError where samples are not grey or RGB images."""
        check_colours(self.kind, x)

    def apply(self, batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return the changed images."""
        from nnctl.data.pixels import colour

        n = len(batch)
        for change, most in (
            (colour.brightness, self.brightness),
            (colour.contrast, self.contrast),
            (colour.saturation, self.saturation),
        ):
            if most:
                batch = change(batch, uniform(generator, n, max(0.0, 1 - most), 1 + most))
        return colour.hue(batch, uniform(generator, n, -self.hue, self.hue)) if self.hue else batch
