"""The Fixup initialiser."""

from __future__ import annotations

from math import sqrt
from typing import Annotated, Literal

from pydantic import Field

from nnctl.component.base import Example
from nnctl.component.types import Count, Expected
from nnctl.kinds.initializers._scaled import Scaled
from nnctl.kinds.initializers.base import Distribution, Place


class Fixup(Scaled):
    """Start the weights inside residual branches as He's, times L^(−1/(2m − 2)), so that no normalisation is needed.

    L is the number of branches, m that of weight layers in each. The last layer of every branch and the classifier
    start at `zero`, and `scale` puts a learned number before every weight and activation.
    """

    kind = "fixup"
    paper = "Zhang, Dauphin & Ma, Fixup Initialization: Residual Learning Without Normalization, 2019"
    examples = (Example("fixup: 54"), Example("fixup: {branches: 16, depth: 3, fan: out}"))

    branches: Count
    """L: residual branches in the network."""
    depth: Annotated[int, Field(ge=2), Expected("a whole number of at least 2")] = 2
    """m: weight layers in a branch."""
    fan: Annotated[Literal["in", "out"], Expected("in or out")] = "in"
    """Whether He's deviation is that of the signal (in) or of the gradient (out)."""

    def spread(self, place: Place) -> tuple[float, Distribution]:
        """Return He's deviation times L^(−1/(2m − 2))."""
        fan = place.fans.into if self.fan == "in" else place.fans.out
        shrink = self.branches ** (-1 / (2 * self.depth - 2))
        return shrink * place.gain * sqrt(1 / fan), "normal"
