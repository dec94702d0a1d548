"""He's initialiser."""

from __future__ import annotations

from math import sqrt
from typing import Annotated, Literal

from nnctl.component.base import Example
from nnctl.component.types import Expected
from nnctl.kinds.initializers._scaled import Scaled
from nnctl.kinds.initializers.base import Distribution, Gain, Place


class Kaiming(Scaled):
    """Keep the signal's variance, or the gradient's, through a layer and its activation: Var W = gain² / fan.

    Before a ReLU the gain is √2, so that Var W = 2 / fan.
    """

    kind = "kaiming"
    paper = "He, Zhang, Ren & Sun, Delving Deep into Rectifiers, 2015"
    examples = (Example("kaiming"), Example("kaiming: out"), Example("kaiming: {gain: 1.0, distribution: uniform}"))

    fan: Annotated[Literal["in", "out"], Expected("in or out")] = "in"
    """Whether the signal (in) or the gradient (out) keeps its variance."""
    gain: Gain = "auto"
    """Factor of the deviation; `auto` is that of the activation that follows, 1 without one."""
    distribution: Distribution = "normal"
    """normal, or uniform with bound √3 times the deviation."""

    def spread(self, place: Place) -> tuple[float, Distribution]:
        """Return gain / √fan."""
        fan = place.fans.into if self.fan == "in" else place.fans.out
        return place.chosen(self.gain) * sqrt(1 / fan), self.distribution
