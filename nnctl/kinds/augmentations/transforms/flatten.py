"""Make images vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.augmentations.base import Transform
from nnctl.kinds.layers.shape import Shape, ShapeError

if TYPE_CHECKING:
    import torch


class Flatten(Transform):
    """Turn each sample into a vector, channel by channel, row by row. Every place then has statistics of its own."""

    kind = "flatten"
    examples = (Example("flatten", input=(1, 8, 8)),)

    def output(self, x: Shape) -> Shape:
        """Return a vector."""
        if x.vocabulary is not None or x.tokens:
            raise ShapeError("`flatten` is for images and tables", f"samples have the shape {x}", "remove it")
        return Shape((x.size,))

    def change(self, batch: torch.Tensor) -> torch.Tensor:
        """Return the vectors."""
        return batch.flatten(1)
