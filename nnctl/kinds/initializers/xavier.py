"""Glorot's initialiser."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.initializers._scaled import draw
from nnctl.kinds.initializers.base import Distribution, Gain, Initializer, Place

if TYPE_CHECKING:
    import torch


class Xavier(Initializer):
    """Keep signal and gradient alike, as far as both can be: Var W = 2 gain² / (fan_in + fan_out)."""

    kind = "xavier"
    paper = "Glorot & Bengio, Understanding the Difficulty of Training Deep Feedforward Neural Networks, 2010"
    examples = (Example("xavier"), Example("xavier: 1.5"), Example("xavier: {gain: auto, distribution: uniform}"))

    gain: Gain = 1.0
    """Factor of the deviation; `auto` is that of the activation that follows."""
    distribution: Distribution = "normal"
    """normal, or uniform with bound √3 times the deviation."""

    def mean_square(self, shape: tuple[int, ...], place: Place) -> float | None:
        """Return 2 gain² / (fan_in + fan_out)."""
        return (place.gain if self.gain == "auto" else self.gain) ** 2 * 2 / (place.fans.into + place.fans.out)

    def fill(self, tensor: torch.Tensor, place: Place, generator: torch.Generator) -> None:
        """Draw every entry."""
        deviation = (place.gain if self.gain == "auto" else self.gain) * sqrt(2 / (place.fans.into + place.fans.out))
        draw(tensor, deviation, self.distribution, generator)
