"""What the layers share whose kernels slide as a convolution's do, without its finer options."""

from __future__ import annotations

from math import prod

from nnctl.component.types import Count, Padding, Sizes
from nnctl.kinds.initializers.base import Fans
from nnctl.kinds.layers._windows import need_space, per_axis, same_padding, slide, too_large
from nnctl.kinds.layers.base import OneWeight, Shape, Window


class Sliding(OneWeight):
    """A layer that looks through windows.

    out = ⌊(in + 2·padding − kernel) / stride⌋ + 1 on each axis.

    Shape: (C, L) -> (channels, L'); (C, H, W) -> (channels, H', W'); (C, D, H, W) -> (channels, D', H', W')
    """

    channels: Count
    """Number of output channels."""
    kernel: Sizes = 3
    """Extent of the kernels, on every axis or per axis."""
    stride: Sizes = 1
    """Step between two places."""
    padding: Padding = "same"
    """Rows of zeros added on each side; `same` adds (kernel − 1)/2 whatever the stride, and 0 to even kernels."""

    def output(self, x: Shape) -> Shape:
        """Return the channels, and at how many places a kernel stands on each axis."""
        space = need_space(self.kind, x)
        window, padding = self.window(x), self.margins(x)
        places = tuple(map(slide, window.extent, window.stride, space, padding))
        if min(places) < 1:
            raise too_large(window.extent, window.extent, x, padding)
        return Shape((self.channels, *places))

    def macs(self, x: Shape) -> int:
        """Return C·|kernel| for every number that leaves."""
        return self.output(x).size * self.inputs(x)

    def window(self, x: Shape) -> Window:
        """Return kernel and stride."""
        return Window(per_axis("kernel", self.kernel, x), per_axis("stride", self.stride, x))

    def fans(self, x: Shape) -> Fans:
        """Return C·|kernel| into and channels·|kernel| out of a unit."""
        return Fans(into=self.inputs(x), out=self.channels * prod(per_axis("kernel", self.kernel, x)))

    def margins(self, x: Shape) -> tuple[int, ...]:
        """Return the rows added on each side of each axis."""
        if self.padding == "same":
            return same_padding(per_axis("kernel", self.kernel, x))
        return per_axis("padding", self.padding, x)

    def inputs(self, x: Shape) -> int:
        """Return how many numbers a window holds."""
        return x.features * prod(per_axis("kernel", self.kernel, x))
