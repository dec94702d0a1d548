"""Turn images by one angle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from nnctl.component.base import Example
from nnctl.component.types import Expected
from nnctl.kinds.augmentations._images import Interpolation, check_image
from nnctl.kinds.augmentations.base import Transform
from nnctl.kinds.layers.shape import Shape

if TYPE_CHECKING:
    import torch


class Rotate(Transform):
    """Turn all images about their middle by one angle; corners that come from outside are black.

    It makes another domain of a set: a network trained on upright photos meets turned ones.
    """

    kind = "rotate"
    examples = (Example("rotate: 30", input=(1, 28, 28)), Example("rotate: {degrees: -90}", input=(3, 32, 32)))

    degrees: Annotated[float, Field(ge=-360, le=360), Expected("degrees from −360 to 360")]
    """The angle, clockwise."""
    interpolation: Interpolation = "bilinear"
    """How pixels between pixels are made."""

    def output(self, x: Shape) -> Shape:
        """Return the same shape."""
        check_image(self.kind, x)
        return x

    def change(self, batch: torch.Tensor) -> torch.Tensor:
        """Return the turned images."""
        import torch

        from nnctl.data.pixels.warp import turn

        return turn(batch, torch.full((len(batch),), self.degrees), self.interpolation)
