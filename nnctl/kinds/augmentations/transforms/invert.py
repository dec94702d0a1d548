"""Swap black and white."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.augmentations._images import check_image
from nnctl.kinds.augmentations.base import Transform
from nnctl.kinds.layers.shape import Shape

if TYPE_CHECKING:
    import torch


class Invert(Transform):
    """Turn images into their negatives: 255 − x for bytes."""

    kind = "invert"
    examples = (Example("invert", input=(3, 32, 32)), Example("invert", input=(1, 28, 28)))

    def output(self, x: Shape) -> Shape:
        """Return the same shape."""
        check_image(self.kind, x)
        return x

    def change(self, batch: torch.Tensor) -> torch.Tensor:
        """Return the negatives."""
        return 1 - batch if batch.is_floating_point() else ~batch
