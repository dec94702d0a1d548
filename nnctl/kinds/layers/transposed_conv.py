"""The transposed convolution."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.component.types import Count, Flag, Margins, Sizes
from nnctl.kinds.initializers.base import Fans
from nnctl.kinds.layers._windows import need_space, per_axis, quoted
from nnctl.kinds.layers.base import OneWeight, Shape, ShapeError, Window

if TYPE_CHECKING:
    from torch import nn


class TransposedConv(OneWeight):
    """Write a learned kernel, times each number that arrives, at every stride-th place, and add where they overlap.

    out = (in − 1)·stride − 2·padding + kernel + output_padding on each axis; by default twice the size. It is the
    gradient of a convolution with the same fields.

    Shape: (C, L) -> (channels, L'); (C, H, W) -> (channels, H', W'); (C, D, H, W) -> (channels, D', H', W')
    """

    kind = "transposed_conv"
    paper = "Zeiler, Krishnan, Taylor & Fergus, Deconvolutional Networks, 2010"
    examples = (
        Example("transposed_conv: 3", input=(2, 2, 3)),
        Example("transposed_conv: {channels: 2, kernel: [4, 3], padding: 1, bias: false}", input=(2, 3, 3)),
        Example("transposed_conv: {channels: 2, kernel: 3, stride: 2, padding: 1, output_padding: 1}", input=(2, 5)),
        Example("transposed_conv: {channels: 2, kernel: 3, stride: 1}", input=(1, 2, 3, 2)),
    )

    channels: Count
    """Number of output channels."""
    kernel: Sizes = 2
    """Extent of the kernel, on every axis or per axis."""
    stride: Sizes = 2
    """Distance between the places where two neighbouring inputs are written."""
    padding: Margins = 0
    """Rows cut off from each side of what was written."""
    output_padding: Margins = 0
    """Rows added at the far end only, fewer than the stride: a size that the others cannot reach."""
    bias: Flag = True
    """Whether a bias is added to every channel."""

    def output(self, x: Shape) -> Shape:
        """Return the channels and the larger size. Raises ShapeError where the padding cuts all of it off."""
        space = need_space(self.kind, x)
        kernel, stride, padding, extra = self._numbers(x)
        if any(rows >= step for rows, step in zip(extra, stride, strict=True)):
            raise ShapeError(
                "`output_padding` must be smaller than the stride",
                f"`output_padding` is {quoted(extra)}, `stride` is {quoted(stride)}",
                f"set it to {max(min(stride) - 1, 0)} or less",
            )
        places = tuple(
            (size - 1) * step - 2 * rows + extent + more
            for size, extent, step, rows, more in zip(space, kernel, stride, padding, extra, strict=True)
        )
        if min(places) < 1:
            raise ShapeError(
                "Padding cuts off everything there is",
                f"`padding` is {quoted(padding)}, `kernel` is {quoted(kernel)}, input is {x}",
                "set a smaller `padding`",
            )
        return Shape((self.channels, *places))

    def parameters(self, x: Shape) -> int:
        """Return a kernel for each pair of channels, and the biases."""
        return self.channels * (x.features * self._kernel_size(x) + self.bias)

    def macs(self, x: Shape) -> int:
        """Return channels·|kernel| for every number that arrives."""
        return x.size * self.channels * self._kernel_size(x)

    def window(self, x: Shape) -> Window:
        """Return at how many inputs an output looks, ⌈kernel/stride⌉; the places grow finer by the stride."""
        kernel, stride, _, _ = self._numbers(x)
        extent = tuple(-(-k // s) for k, s in zip(kernel, stride, strict=True))
        return Window(extent, (1,) * len(x.space), finer=stride)

    def fans(self, x: Shape) -> Fans:
        """Return C inputs for each of the places that overlap, and channels·|kernel| outputs.

        torch's own count has the two the wrong way round, as the weight has them.
        """
        overlaps = (max(k // s, 1) for k, s in zip(*self._numbers(x)[:2], strict=True))
        return Fans(into=x.features * prod(overlaps), out=self.channels * self._kernel_size(x))

    def weight_shape(self, x: Shape) -> tuple[int, ...]:
        """Return (C, channels, kernel…)."""
        return x.features, self.channels, *per_axis("kernel", self.kernel, x)

    def build(self, x: Shape) -> nn.Module:
        """Return torch's transposed convolution over one, two or three axes."""
        from torch import nn

        classes = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
        convolution: Callable[..., nn.Module] = classes[len(x.space) - 1]
        return convolution(x.features, self.channels, *self._numbers(x), bias=self.bias)

    def _numbers(self, x: Shape) -> tuple[tuple[int, ...], ...]:
        fields = ("kernel", "stride", "padding", "output_padding")
        return tuple(per_axis(field, getattr(self, field), x) for field in fields)

    def _kernel_size(self, x: Shape) -> int:
        return prod(per_axis("kernel", self.kernel, x))
