"""Glorot's initialiser."""

from __future__ import annotations

from math import sqrt

from nnctl.component.base import Example
from nnctl.kinds.initializers._scaled import Scaled
from nnctl.kinds.initializers.base import Distribution, Gain, Place


class Xavier(Scaled):
    """Keep signal and gradient alike, as far as both can be: Var W = 2 gain² / (fan_in + fan_out)."""

    kind = "xavier"
    paper = "Glorot & Bengio, Understanding the Difficulty of Training Deep Feedforward Neural Networks, 2010"
    examples = (Example("xavier"), Example("xavier: 1.5"), Example("xavier: {gain: auto, distribution: uniform}"))

    gain: Gain = 1.0
    """Factor of the deviation; `auto` is that of the activation that follows."""
    distribution: Distribution = "normal"
    """normal, or uniform with bound √3 times the deviation."""

    def spread(self, place: Place) -> tuple[float, Distribution]:
        """Return gain √(2 / (fan_in + fan_out))."""
        return place.chosen(self.gain) * sqrt(2 / (place.fans.into + place.fans.out)), self.distribution
