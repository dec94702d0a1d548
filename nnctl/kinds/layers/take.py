"""The layer that keeps one token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from nnctl.component.base import Example
from nnctl.component.types import Expected
from nnctl.kinds.layers._windows import need_tokens
from nnctl.kinds.layers.base import Layer, Shape, ShapeError

if TYPE_CHECKING:
    from torch import nn


class Take(Layer):
    """Keep one token and forget the others: `take: 0` the first, `take: -1` the last.

    Shape: (T, F) tokens -> (F,)
    """

    kind = "take"
    keeps_scale = True
    examples = (Example("take: 0", input=(3, 4), tokens=True), Example("take: -1", input=(3, 4), tokens=True))

    index: Annotated[int, Expected("a whole number: 0 is the first token, -1 the last")]
    """Which token; negative numbers count from the end."""

    def output(self, x: Shape) -> Shape:
        """Return one token's features as a vector. Raises ShapeError where there is no such token."""
        tokens, features = need_tokens(self.kind, x)
        if not -tokens <= self.index < tokens:
            raise ShapeError(
                "There is no such token",
                f"`index` is {self.index}, input is {x}",
                f"choose one of 0 to {tokens - 1}, or of -{tokens} to -1 from the end",
            )
        return Shape((features,))

    def build(self, x: Shape) -> nn.Module:
        """Return the choice as a module."""
        from nnctl.modules.take import Take as Module

        return Module(self.index)
