"""What the adaptive pools share: a wanted size, and windows that follow from it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from math import gcd
from typing import TYPE_CHECKING

from nnctl.component.types import Sizes
from nnctl.kinds.layers._windows import need_space, per_axis
from nnctl.kinds.layers.base import Layer, Shape, Window

if TYPE_CHECKING:
    from torch import nn


class AdaptivePool(Layer):
    """A pool whose windows are chosen so that a given size is left.

    Place i of an axis covers ⌊i·in/out⌋ up to, not including, ⌈(i + 1)·in/out⌉.
    """

    keeps_scale = True

    size: Sizes
    """Size that is left, on every axis or per axis."""

    def output(self, x: Shape) -> Shape:
        """Return the channels and the wanted size."""
        need_space(self.kind, x)
        return x.with_space(per_axis("size", self.size, x))

    def window(self, x: Shape) -> Window:
        """Return the widest window, and the step rounded down where windows are not evenly spaced."""
        size = per_axis("size", self.size, x)
        pairs = list(zip(x.space, size, strict=True))
        return Window(
            tuple(_widest(*pair) for pair in pairs), tuple(max(before // after, 1) for before, after in pairs)
        )

    def build(self, x: Shape) -> nn.Module:
        """Return torch's adaptive pooling over the axes that there are."""
        return self.by_axes()[len(x.space) - 1](per_axis("size", self.size, x))

    @abstractmethod
    def by_axes(self) -> tuple[Callable[..., nn.Module], ...]:
        """Return torch's adaptive pooling over one, two and three axes."""


def _widest(before: int, after: int) -> int:
    # a window is ⌈(i·before mod after + before) / after⌉ wide, and that remainder is at most after − gcd
    return -(-(after - gcd(before, after) + before) // after)
