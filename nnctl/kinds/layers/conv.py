"""The convolution over signals, images and volumes."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import model_validator

from nnctl.component.base import Example
from nnctl.component.types import Count, Expected, Flag, Padding, Sizes
from nnctl.kinds.initializers.base import Fans
from nnctl.kinds.layers._windows import need_space, per_axis, quoted, same_padding, slide, too_large
from nnctl.kinds.layers.base import OneWeight, Shape, ShapeError, Window

if TYPE_CHECKING:
    from torch import nn


class Conv(OneWeight):
    """Slide learned kernels over a signal, an image or a volume; the input's shape says which.

    out = ⌊(in + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1 on each axis.

    Shape: (C, L) -> (channels, L'); (C, H, W) -> (channels, H', W'); (C, D, H, W) -> (channels, D', H', W')
    """

    kind = "conv"
    paper = "LeCun, Bottou, Bengio & Haffner, Gradient-Based Learning Applied to Document Recognition, 1998"
    examples = (
        Example("conv: 4", input=(2, 5, 6)),
        Example("conv: {channels: 4, kernel: [3, 1], stride: 2, bias: false}", input=(2, 6, 5)),
        Example("conv: {channels: 6, kernel: 2, padding: 1, dilation: 2, groups: 3}", input=(3, 7, 7)),
        Example("conv: {channels: 3, padding_mode: circular}", input=(2, 9)),
        Example("conv: {channels: 2, kernel: 5, padding_mode: reflect}", input=(2, 4, 4)),
        Example("conv: {channels: 2, stride: [1, 2, 2]}", input=(1, 3, 4, 5)),
    )

    channels: Count
    """Number of output channels."""
    kernel: Sizes = 3
    """Extent of the kernel, on every axis or per axis."""
    stride: Sizes = 1
    """Step between two places of the kernel."""
    padding: Padding = "same"
    """Rows added on each side; `same` adds dilation·(kernel − 1)/2 whatever the stride, and 0 to even kernels."""
    padding_mode: Annotated[Literal["zeros", "circular", "reflect"], Expected("zeros, circular or reflect")] = "zeros"
    """What the added rows hold: zeros, the opposite side, or the image mirrored at its edge."""
    dilation: Sizes = 1
    """Distance between two neighbouring entries of the kernel."""
    groups: Count = 1
    """Parts into which the channels are cut; each output channel sees its own part alone."""
    bias: Flag = True
    """Whether a bias is added to every channel."""

    @model_validator(mode="after")
    def _check_groups(self) -> Self:
        if self.channels % self.groups:
            cure = f"choose `groups` among the divisors of {self.channels}"
            raise ValueError(f"`channels` (={self.channels}) must be divisible by `groups` (={self.groups}); {cure}")
        return self

    def output(self, x: Shape) -> Shape:
        """Return the channels, and at how many places the kernel stands on each axis."""
        space = need_space(self.kind, x)
        if x.features % self.groups:
            raise ShapeError(
                f"The channels that arrive cannot be cut into {self.groups} equal groups",
                f"`groups` is {self.groups}, input is {x}",
                f"choose `groups` among the divisors of {x.features}",
            )
        window, padding = self.window(x), self._padding(x)
        self._check_padding(x, padding)
        places = tuple(map(slide, window.extent, window.stride, space, padding))
        if min(places) < 1:
            raise too_large(per_axis("kernel", self.kernel, x), window.extent, x, padding)
        return Shape((self.channels, *places))

    def parameters(self, x: Shape) -> int:
        """Return the weights that each output channel has, and its bias."""
        return self.channels * (self._weights_per_channel(x) + self.bias)

    def macs(self, x: Shape) -> int:
        """Return the weights of one output channel for every number that leaves."""
        return self.output(x).size * self._weights_per_channel(x)

    def window(self, x: Shape) -> Window:
        """Return the dilated kernel's extent, dilation·(kernel − 1) + 1, and the stride."""
        kernel, dilation = per_axis("kernel", self.kernel, x), per_axis("dilation", self.dilation, x)
        extent = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))
        return Window(extent, per_axis("stride", self.stride, x))

    def fans(self, x: Shape) -> Fans:
        """Return C/groups·|kernel| into and channels·|kernel| out of a unit.

        The latter does not divide by `groups`: torch counts it so from the weight's shape.
        """
        return Fans(into=self._weights_per_channel(x), out=self.channels * prod(per_axis("kernel", self.kernel, x)))

    def weight_shape(self, x: Shape) -> tuple[int, ...]:
        """Return (channels, C/groups, kernel…)."""
        return self.channels, x.features // self.groups, *per_axis("kernel", self.kernel, x)

    def build(self, x: Shape) -> nn.Module:
        """Return torch's convolution over one, two or three axes."""
        from torch import nn

        convolution: Callable[..., nn.Module] = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[len(x.space) - 1]
        return convolution(
            x.features,
            self.channels,
            per_axis("kernel", self.kernel, x),
            stride=per_axis("stride", self.stride, x),
            padding=self._padding(x),
            dilation=per_axis("dilation", self.dilation, x),
            groups=self.groups,
            bias=self.bias,
            padding_mode=self.padding_mode,
        )

    def _weights_per_channel(self, x: Shape) -> int:
        return x.features // self.groups * prod(per_axis("kernel", self.kernel, x))

    def _padding(self, x: Shape) -> tuple[int, ...]:
        if self.padding != "same":
            return per_axis("padding", self.padding, x)
        return same_padding(per_axis("kernel", self.kernel, x), per_axis("dilation", self.dilation, x))

    def _check_padding(self, x: Shape, padding: tuple[int, ...]) -> None:
        """Raise ShapeError where there are not enough rows to repeat or to mirror."""
        if self.padding_mode == "zeros":
            return
        # a mirror leaves out the edge itself
        room = tuple(size - (self.padding_mode == "reflect") for size in x.space)
        if any(rows > most for rows, most in zip(padding, room, strict=True)):
            raise ShapeError(
                f"`padding_mode: {self.padding_mode}` has too few rows to take the padding from",
                f"padding is {quoted(padding)}, input is {x}, so it may be {quoted(room)} at most",
                "set `padding_mode: zeros`, or a smaller `kernel`",
            )
