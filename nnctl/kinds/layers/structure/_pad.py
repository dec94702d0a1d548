"""The `pad` shortcut of a residual: no kind of its own, because it has no use elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.types import Count
from nnctl.kinds.layers.base import Layer, Shape, Window

if TYPE_CHECKING:
    from torch import nn


class Pad(Layer):
    """Take every s-th position and append channels of zeros (option A of He et al., 2016).

    Shape: (C, space…) -> (channels, ⌈space/stride⌉…)
    """

    kind = "pad"
    keeps_scale = True

    channels: Count
    """Channels that leave."""
    stride: tuple[Count, ...]
    """Step per spatial axis."""

    def output(self, x: Shape) -> Shape:
        """Return the padded shape."""
        space = tuple(-(-extent // step) for extent, step in zip(x.space, self.stride, strict=True))
        return Shape((self.channels, *space))

    def window(self, x: Shape) -> Window:
        """Return a single position, taken every s-th time."""
        return Window(tuple(1 for _ in x.space), self.stride)

    def build(self, x: Shape) -> nn.Module:
        """Return the module."""
        from nnctl.modules.pad import PadShortcut

        return PadShortcut(self.channels - x.features, self.stride)


def smallest_stride(start: Shape, end: Shape) -> tuple[int, ...] | None:
    """Return per axis the smallest s with ⌈in/s⌉ = out; None where there is none, or where channels would go."""
    if len(start.space) != len(end.space) or start.tokens != end.tokens:
        return None
    strides = []
    for before, after in zip(start.space, end.space, strict=True):
        stride = next((s for s in range(1, before + 1) if -(-before // s) == after), None)
        if stride is None:
            return None
        strides.append(stride)
    return tuple(strides)
