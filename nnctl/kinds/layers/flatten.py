"""The layer that forgets where things are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.layers.base import Layer, Shape, Window

if TYPE_CHECKING:
    from torch import nn


class Flatten(Layer):
    """Write all numbers of a sample in one row, channel by channel, row by row.

    Shape: any -> (size,)
    """

    kind = "flatten"
    keeps_scale = True
    examples = (Example("flatten", input=(2, 3, 4)), Example("flatten", input=(5,)))

    def output(self, x: Shape) -> Shape:
        """Return a vector of everything."""
        return Shape((x.size,))

    def window(self, x: Shape) -> Window:
        """Return the whole space: what follows sees all of it."""
        return Window(x.space, x.space)

    def build(self, x: Shape) -> nn.Module:
        """Return torch's flatten."""
        from torch import nn

        return nn.Flatten()
