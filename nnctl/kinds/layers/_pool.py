"""What max_pool and avg_pool share: the window, its places and the errors where it does not fit."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

from nnctl.component.types import Flag, Margins, Sizes
from nnctl.kinds.layers._windows import need_space, per_axis, quoted, slide
from nnctl.kinds.layers.base import Layer, Shape, ShapeError, Window

if TYPE_CHECKING:
    from torch import nn


class Pool(Layer):
    """A window that slides over each channel by itself."""

    keeps_scale = True

    kernel: Sizes
    """Extent of the window, on every axis or per axis."""
    stride: Sizes | None = None
    """Step between two places of the window; the kernel's extent if not given."""
    padding: Margins = 0
    """Rows added on each side, at most half the kernel."""
    ceil: Flag = False
    """Whether a last window that reaches past the edge counts, where it starts inside."""

    def output(self, x: Shape) -> Shape:
        """Return the channels, and at how many places the window stands on each axis."""
        space = need_space(self.kind, x)
        window, padding = self.window(x), per_axis("padding", self.padding, x)
        if any(2 * rows > extent for rows, extent in zip(padding, window.extent, strict=True)):
            raise ShapeError(
                "Padding is more than half the kernel: some windows would hold nothing but padding",
                f"`padding` is {quoted(padding)}, `kernel` is {quoted(window.extent)}",
                f"set `padding: {quoted(tuple(extent // 2 for extent in window.extent))}` or less",
            )
        places = tuple(
            slide(extent, step, size, rows, self.ceil)
            for extent, step, size, rows in zip(window.extent, window.stride, space, padding, strict=True)
        )
        if min(places) < 1:
            raise ShapeError(
                "Kernel is larger than its input",
                f"`kernel` is {quoted(window.extent)}, input is {x}, `padding` is {quoted(padding)}",
                "set a smaller `kernel`, or remove a pool or stride before it",
            )
        return x.with_space(places)

    def window(self, x: Shape) -> Window:
        """Return kernel and stride."""
        kernel = per_axis("kernel", self.kernel, x)
        return Window(kernel, kernel if self.stride is None else per_axis("stride", self.stride, x))

    def build(self, x: Shape) -> nn.Module:
        """Return torch's pooling over the axes that there are."""
        window = self.window(x)
        pool = self.by_axes()[len(x.space) - 1]
        return pool(window.extent, window.stride, per_axis("padding", self.padding, x), ceil_mode=self.ceil)

    @abstractmethod
    def by_axes(self) -> tuple[Callable[..., nn.Module], ...]:
        """Return torch's pooling over one, two and three axes."""
