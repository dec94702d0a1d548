"""He's initialiser."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Annotated, Literal

from nnctl.component.base import Example
from nnctl.component.types import Expected
from nnctl.kinds.initializers._scaled import draw
from nnctl.kinds.initializers.base import Distribution, Gain, Initializer, Place

if TYPE_CHECKING:
    import torch


class Kaiming(Initializer):
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

    def mean_square(self, shape: tuple[int, ...], place: Place) -> float | None:
        """Return gain² / fan."""
        fan = place.fans.into if self.fan == "in" else place.fans.out
        return (place.gain if self.gain == "auto" else self.gain) ** 2 / fan

    def fill(self, tensor: torch.Tensor, place: Place, generator: torch.Generator) -> None:
        """Draw every entry."""
        fan = place.fans.into if self.fan == "in" else place.fans.out
        deviation = (place.gain if self.gain == "auto" else self.gain) * sqrt(1 / fan)
        draw(tensor, deviation, self.distribution, generator)
