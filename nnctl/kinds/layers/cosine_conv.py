"""The convolution that measures angles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.layers._kernel import Sliding
from nnctl.kinds.layers._windows import per_axis
from nnctl.kinds.layers.base import Shape

if TYPE_CHECKING:
    from torch import nn


class CosineConv(Sliding):
    """Slide learned kernels and give the cosine between each and the patch below it, whatever their lengths.

    u = ⟨w, patch⟩ / (‖w‖ ‖patch‖), 0 for a patch of zeros. With `exponential_kernel` behind it, it is a layer of a
    convolutional kernel network.

    Shape: (C, L) -> (channels, L'); (C, H, W) -> (channels, H', W'); (C, D, H, W) -> (channels, D', H', W')
    """

    kind = "cosine_conv"
    paper = "Mairal, End-to-End Kernel Learning with Supervised Convolutional Kernel Networks, 2016"
    examples = (
        Example("cosine_conv: 2", input=(2, 3, 4)),
        Example("cosine_conv: {channels: 3, kernel: [2, 3], stride: 2, padding: 1}", input=(1, 4, 5)),
        Example("cosine_conv: {channels: 2, kernel: 2}", input=(3, 4)),
    )

    def parameters(self, x: Shape) -> int:
        """Return the weights of every channel."""
        return self.channels * self.inputs(x)

    def weight_shape(self, x: Shape) -> tuple[int, ...]:
        """Return (channels, C, kernel…)."""
        return self.channels, x.features, *per_axis("kernel", self.kernel, x)

    def build(self, x: Shape) -> nn.Module:
        """Return the module."""
        from nnctl.modules.cosine_conv import CosineConv as Module

        window = self.window(x)
        return Module(x.features, self.channels, window.extent, window.stride, self.margins(x))
