"""What the global pools share: one number per channel is left of the whole space."""

from __future__ import annotations

from nnctl.kinds.layers._windows import need_space
from nnctl.kinds.layers.base import Layer, Shape, Window


class GlobalPool(Layer):
    """A pool over everything there is of a channel."""

    keeps_scale = True

    def output(self, x: Shape) -> Shape:
        """Return a vector with a feature for each channel."""
        need_space(self.kind, x)
        return Shape((x.features,))

    def window(self, x: Shape) -> Window:
        """Return the whole space: one window, so it steps as far as it reaches."""
        return Window(x.space, x.space)
