"""LeCun's initialiser."""

from __future__ import annotations

from math import sqrt

from nnctl.component.base import Example
from nnctl.kinds.initializers._scaled import Scaled
from nnctl.kinds.initializers.base import Distribution, Gain, Place


class LeCun(Scaled):
    """Keep the signal's variance through a linear layer: Var W = gain² / fan_in."""

    kind = "lecun"
    paper = "LeCun, Bottou, Orr & Müller, Efficient BackProp, 1998"
    examples = (Example("lecun"), Example("lecun: auto"), Example("lecun: {distribution: uniform}"))

    gain: Gain = 1.0
    """Factor of the deviation; `auto` is that of the activation that follows."""
    distribution: Distribution = "normal"
    """normal, or uniform with bound √3 times the deviation."""

    def spread(self, place: Place) -> tuple[float, Distribution]:
        """Return gain / √fan_in."""
        return place.chosen(self.gain) * sqrt(1 / place.fans.into), self.distribution
