"""What the norms that learn a pair for each channel share."""

from __future__ import annotations

from nnctl.component.types import Flag, Positive
from nnctl.kinds.layers._windows import everywhere
from nnctl.kinds.layers.base import Layer, Shape, Window


class Norm(Layer):
    """A layer that brings numbers to mean 0 and variance 1, then scales and shifts them."""

    keeps_scale = True
    common = Layer.common | {"eps", "affine"}

    eps: Positive = 1e-5
    """Added to the variance, so that a constant input divides by no zero."""
    affine: Flag = True
    """Whether γ and β are learned, one pair per feature."""

    def output(self, x: Shape) -> Shape:
        """Return the same shape."""
        return x

    def parameters(self, x: Shape) -> int:
        """Return γ and β of every feature."""
        return 2 * x.features if self.affine else 0

    def window(self, x: Shape) -> Window:
        """Return the whole space, over which the statistics run."""
        return everywhere(x)
