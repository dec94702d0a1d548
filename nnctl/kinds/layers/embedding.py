"""Codes as learned vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.component.types import Count
from nnctl.kinds.initializers.base import Fans
from nnctl.kinds.layers._windows import called
from nnctl.kinds.layers.base import OneWeight, Shape, ShapeError

if TYPE_CHECKING:
    from torch import nn


class Embedding(OneWeight):
    """Look up a learned vector for each code: a character, a word, a category.

    It is a linear map, without bias, of codes written one-hot; so one input counts for an initialiser's fan.

    Shape: codes (T,) -> (T, features) tokens; a single code -> (features,)
    """

    kind = "embedding"
    paper = "Bengio, Ducharme, Vincent & Jauvin, A Neural Probabilistic Language Model, 2003"
    takes_codes = True
    examples = (
        Example("embedding: 4", input=(3,), vocabulary=7),
        Example("embedding: {features: 2}", input=(), vocabulary=5),
    )

    features: Count
    """Length of each vector."""

    def output(self, x: Shape) -> Shape:
        """Return a token for each code, or a vector for a single one. Raises ShapeError where no codes arrive."""
        if x.vocabulary is None or len(x.dims) > 1:
            raise ShapeError(
                f"`embedding` takes whole-number codes, not {called(x)}",
                f"expected codes with a `vocabulary`, got {x}",
                "use `linear` for numbers, or declare `model.input: {tokens: 8, vocabulary: 128}`",
            )
        return Shape((*x.dims, self.features), tokens=len(x.dims) == 1)

    def parameters(self, x: Shape) -> int:
        """Return a vector for each code that there is."""
        return (x.vocabulary or 0) * self.features

    def fans(self, x: Shape) -> Fans:
        """Return one input, since one code arrives at a time, and the features."""
        return Fans(into=1, out=self.features)

    def weight_shape(self, x: Shape) -> tuple[int, ...]:
        """Return (vocabulary, features)."""
        return x.vocabulary or 0, self.features

    def build(self, x: Shape) -> nn.Module:
        """Return torch's embedding."""
        from torch import nn

        assert x.vocabulary is not None
        return nn.Embedding(x.vocabulary, self.features)
