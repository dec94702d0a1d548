"""The layer that does nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.layers.base import Layer, Shape

if TYPE_CHECKING:
    from torch import nn


class Identity(Layer):
    """Pass the value on unchanged.

    Shape: any -> same
    """

    kind = "identity"
    keeps_scale = True
    examples = (Example("identity", input=(3, 2)),)

    def output(self, x: Shape) -> Shape:
        """Return the same shape."""
        return x

    def build(self, x: Shape) -> nn.Module:
        """Return torch's identity."""
        from torch import nn

        return nn.Identity()
