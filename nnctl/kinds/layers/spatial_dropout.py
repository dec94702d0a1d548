"""Dropout of whole channels."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.layers._drop import Drop
from nnctl.kinds.layers._windows import called
from nnctl.kinds.layers.base import Shape, ShapeError

if TYPE_CHECKING:
    from torch import nn


class SpatialDropout(Drop):
    """Set whole channels to zero with probability p in training, and divide the others by 1 − p.

    Neighbours in a feature map are alike, so dropping single ones hides little.

    Shape: (C, L), (C, H, W) or (C, D, H, W) -> same
    """

    kind = "spatial_dropout"
    paper = "Tompson et al., Efficient Object Localization Using Convolutional Networks, 2015"
    examples = (Example("spatial_dropout: 0.1", input=(3, 4, 4)), Example("spatial_dropout: {keep: 0.5}", input=(2, 5)))

    def output(self, x: Shape) -> Shape:
        """Return the same shape. Raises ShapeError where there are no channels with space to drop."""
        if len(x.space) not in (1, 2, 3):
            raise ShapeError(
                f"`spatial_dropout` takes a signal, an image or a volume, not {called(x)}",
                f"expected (channels, length), (channels, height, width) or (channels, depth, height, width), got {x}",
                "use `dropout`",
            )
        return x

    def build(self, x: Shape) -> nn.Module:
        """Return torch's channel dropout over one, two or three axes."""
        from torch import nn

        dropout: Callable[..., nn.Module] = (nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)[len(x.space) - 1]
        return dropout(self.rate)
