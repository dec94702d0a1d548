"""The layer that gives a sample another shape."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from nnctl.component.base import Example
from nnctl.component.types import Count, Expected, as_tuple
from nnctl.kinds.layers.base import Layer, Shape, ShapeError, Window

if TYPE_CHECKING:
    from torch import nn


class Reshape(Layer):
    """Give a sample's numbers another shape; they keep their order.

    Shape: any -> shape, or (tokens, features) tokens
    """

    kind = "reshape"
    keeps_scale = True
    examples = (
        Example("reshape: [2, 3, 4]", input=(24,)),
        Example("reshape: [12]", input=(3, 2, 2)),
        Example("reshape: {tokens: 4, features: 6}", input=(1, 4, 6)),
    )

    shape: Annotated[
        tuple[Count, ...] | None,
        Field(min_length=1, max_length=4),
        BeforeValidator(as_tuple),
        Expected("a list of one to four whole numbers of at least 1: features, then space"),
    ] = None
    """The new shape: features, then up to three spatial axes."""
    tokens: Count | None = None
    """Number of tokens, in place of `shape`."""
    features: Count | None = None
    """Features of each token."""

    @model_validator(mode="after")
    def _check_form(self) -> Self:
        given = [field for field in ("shape", "tokens", "features") if getattr(self, field) is not None]
        if given not in (["shape"], ["tokens", "features"]):
            raise ValueError("`reshape` needs `shape`, or `tokens` and `features`; write `reshape: [16, 5, 5]`")
        return self

    def output(self, x: Shape) -> Shape:
        """Return the new shape. Raises ShapeError where the counts of numbers differ."""
        if self.shape is not None:
            wanted = Shape(self.shape)
        else:
            assert self.tokens is not None
            assert self.features is not None
            wanted = Shape((self.tokens, self.features), tokens=True)
        if wanted.size != x.size:
            raise ShapeError(
                "The new shape has another count of numbers than the old one",
                f"expected {_count(x)}, got {_count(wanted)}",
                f"choose numbers whose product is {x.size}",
            )
        return wanted

    def window(self, x: Shape) -> Window:
        """Return the whole space: places before and after have nothing to do with each other."""
        return Window(x.space, x.space)

    def build(self, x: Shape) -> nn.Module:
        """Return the rearrangement as torch's unflatten behind a flatten."""
        from nnctl.modules.reshape import Reshape as Module

        return Module(self.output(x).dims)


def _count(shape: Shape) -> str:
    factors = "·".join(str(extent) for extent in shape.dims)
    return (
        f"{prod(shape.dims)} numbers for {shape}" if len(shape.dims) == 1 else f"{factors} = {shape.size} for {shape}"
    )
