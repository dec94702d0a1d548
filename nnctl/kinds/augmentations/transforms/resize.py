"""Bring images to another size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BeforeValidator

from nnctl.component.base import Example
from nnctl.component.types import Count, Expected, as_tuple
from nnctl.kinds.augmentations._images import check_image
from nnctl.kinds.augmentations.base import Transform
from nnctl.kinds.layers.shape import Shape

if TYPE_CHECKING:
    import torch


class Resize(Transform):
    """Scale images to another size: bilinear, and smoothed where they shrink. Proportions are not kept."""

    kind = "resize"
    examples = (Example("resize: 16", input=(3, 32, 32)), Example("resize: [20, 24]", input=(1, 28, 28)))

    size: Annotated[
        Count | tuple[Count, Count],
        BeforeValidator(as_tuple),
        Expected("a whole number of at least 1, or [height, width]"),
    ]
    """New height and width."""

    def output(self, x: Shape) -> Shape:
        """Return images of the new size."""
        check_image(self.kind, x)
        return x.with_space(self._extent())

    def change(self, batch: torch.Tensor) -> torch.Tensor:
        """Return the scaled images."""
        import torch
        from torch.nn.functional import interpolate

        values = batch if batch.is_floating_point() else batch.float()
        scaled = interpolate(values, self._extent(), mode="bilinear", antialias=True)
        return scaled if batch.is_floating_point() else scaled.round_().clamp_(0, 255).to(torch.uint8)

    def _extent(self) -> tuple[int, int]:
        return (self.size, self.size) if isinstance(self.size, int) else self.size
