"""The kind `residual`."""

from typing import Annotated

from nnctl.component.base import Example
from nnctl.component.markers import Layers
from nnctl.component.types import Expected
from nnctl.kinds.layers.base import Structure

SHORTCUTS = ("identity", "projection", "pad", "auto", "none")


class Residual(Structure):
    """Add what a list of layers makes of a value to the value itself: y = body(x) + shortcut(x).

    Nothing else happens: an activation after the sum is a layer of its own. The shortcut is `identity`;
    `projection` (1×1 convolution without bias, batch norm); `pad` (every s-th position, zero channels appended);
    `auto` (identity where the shapes agree, else projection); `none` (the body alone, a plain net); or a list of
    layers. s is the smallest stride for which ⌈in/s⌉ = out.
    """

    kind = "residual"
    paper = "He et al., Deep Residual Learning for Image Recognition, 2016"

    body: Layers
    """The layers of the long way."""
    shortcut: Annotated[Layers, Expected("identity, projection, pad, auto, none or a list of layers")] = None
    """The short way; `auto` if not given."""

    examples = (
        Example("residual: {body: [{conv: 8}, relu, {conv: 8}]}", input=(8, 6, 6)),
        Example("residual: {body: [{conv: {channels: 16, stride: 2}}], shortcut: pad}", input=(8, 6, 6)),
        Example("residual: {body: [{conv: {channels: 16, stride: 2}}]}", input=(8, 6, 6)),
    )
