"""LeCun's initialiser."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.initializers._scaled import draw
from nnctl.kinds.initializers.base import Distribution, Gain, Initializer, Place

if TYPE_CHECKING:
    import torch


class LeCun(Initializer):
    """Keep the signal's variance through a linear layer: Var W = gain² / fan_in."""

    kind = "lecun"
    paper = "LeCun, Bottou, Orr & Müller, Efficient BackProp, 1998"
    examples = (Example("lecun"), Example("lecun: auto"), Example("lecun: {distribution: uniform}"))

    gain: Gain = 1.0
    """Factor of the deviation; `auto` is that of the activation that follows."""
    distribution: Distribution = "normal"
    """normal, or uniform with bound √3 times the deviation."""

    def mean_square(self, shape: tuple[int, ...], place: Place) -> float | None:
        """Return gain² / fan_in."""
        return (place.gain if self.gain == "auto" else self.gain) ** 2 / place.fans.into

    def fill(self, tensor: torch.Tensor, place: Place, generator: torch.Generator) -> None:
        """Draw every entry."""
        deviation = (place.gain if self.gain == "auto" else self.gain) * sqrt(1 / place.fans.into)
        draw(tensor, deviation, self.distribution, generator)
