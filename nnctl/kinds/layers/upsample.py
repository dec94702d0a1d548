"""Enlarging without weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from nnctl.component.base import Example
from nnctl.component.types import Expected, Sizes
from nnctl.kinds.layers._windows import called, need_space, per_axis
from nnctl.kinds.layers.base import Layer, Shape, ShapeError, Window

if TYPE_CHECKING:
    from torch import nn

Mode: TypeAlias = Literal["nearest", "linear", "bilinear", "trilinear", "bicubic"]

_LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}
_AXES = {"linear": 1, "bilinear": 2, "trilinear": 3, "bicubic": 2}
_REACH = {"nearest": 1, "bicubic": 4}


class Upsample(Layer):
    """Enlarge each channel by whole factors, by repeating its numbers or by interpolating between them.

    Pixels are squares, whose centres are interpolated between (torch's align_corners=False).

    Shape: (C, L), (C, H, W) or (C, D, H, W) -> the same with factor times the space
    """

    kind = "upsample"
    keeps_scale = True
    examples = (
        Example("upsample: 2", input=(2, 3, 4)),
        Example("upsample: {factor: 3, mode: linear}", input=(2, 4)),
        Example("upsample: {factor: [2, 1], mode: bilinear}", input=(1, 3, 3)),
        Example("upsample: {factor: 2, mode: bicubic}", input=(1, 4, 5)),
        Example("upsample: {factor: 2, mode: trilinear}", input=(1, 2, 3, 2)),
    )

    factor: Sizes
    """How many places one becomes, on every axis or per axis."""
    mode: Annotated[Mode, Expected("nearest, linear, bilinear, trilinear or bicubic")] = "nearest"
    """Repeat (nearest), or interpolate: linear for signals, bilinear or bicubic for images, trilinear for volumes."""

    def output(self, x: Shape) -> Shape:
        """Return the larger shape. Raises ShapeError where the mode is for other axes."""
        space = need_space(self.kind, x)
        if _AXES.get(self.mode, len(space)) != len(space):
            raise ShapeError(
                f"`mode: {self.mode}` does not interpolate {called(x)}",
                f"input is {x}",
                f"set `mode: {_LINEAR[len(space)]}`, or `mode: nearest`",
            )
        factor = per_axis("factor", self.factor, x)
        return x.with_space(tuple(size * times for size, times in zip(space, factor, strict=True)))

    def window(self, x: Shape) -> Window:
        """Return at how many inputs an output looks; the places grow finer by the factor."""
        axes = len(x.space)
        return Window((_REACH.get(self.mode, 2),) * axes, (1,) * axes, finer=per_axis("factor", self.factor, x))

    def build(self, x: Shape) -> nn.Module:
        """Return torch's upsampling."""
        from torch import nn

        factor = tuple(float(times) for times in per_axis("factor", self.factor, x))
        return nn.Upsample(scale_factor=factor, mode=self.mode, align_corners=None if self.mode == "nearest" else False)
