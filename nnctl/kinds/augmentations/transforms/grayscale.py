"""Make colour images grey."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.augmentations._images import check_colours
from nnctl.kinds.augmentations.base import Transform
from nnctl.kinds.layers.shape import Shape

if TYPE_CHECKING:
    import torch


class Grayscale(Transform):
    """Replace red, green and blue by one channel of brightness: 0.2989 R + 0.587 G + 0.114 B."""

    kind = "grayscale"
    paper = "ITU-R recommendation BT.601"
    examples = (Example("grayscale", input=(3, 32, 32)), Example("grayscale", input=(1, 28, 28)))

    def output(self, x: Shape) -> Shape:
        """Return images of one channel."""
        check_colours(self.kind, x)
        return x.with_features(1)

    def change(self, batch: torch.Tensor) -> torch.Tensor:
        """Return the grey images."""
        from nnctl.data.pixels.colour import grey

        return grey(batch)
