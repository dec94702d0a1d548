"""The initialiser by the geometric mean of the fans."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.errors import Problem, SpecError
from nnctl.kinds.initializers._moments import slope
from nnctl.kinds.initializers._scaled import Scaled
from nnctl.kinds.initializers.base import Distribution, Gain, Place

if TYPE_CHECKING:
    from nnctl.kinds.layers.base import Activation


_ROUNDING = 1e-12


class Geometric(Scaled):
    """Weigh signal and gradient alike, by the geometric mean of the fans: Var W = gain² / √(fan_in fan_out).

    gain² is 1 before tanh or no activation, 2 before ReLU: one over the mean square of the derivative at 0.
    """

    kind = "geometric"
    examples = (Example("geometric"), Example("geometric: 1.5"), Example("geometric: {distribution: uniform}"))

    gain: Gain = "auto"
    """Factor of the deviation; `auto` is 1/√(½ f′(0−)² + ½ f′(0+)²) of the activation that follows, 1 without one."""
    distribution: Distribution = "normal"
    """normal, or uniform with bound √3 times the deviation."""

    def check(self, shape: tuple[int, ...], place: Place) -> None:
        """Raise SpecError where `auto` finds no gain."""
        if self.gain == "auto":
            _gain_at_zero(place.activation)

    def spread(self, place: Place) -> tuple[float, Distribution]:
        """Return gain / (fan_in · fan_out)^¼."""
        gain = _gain_at_zero(place.activation) if self.gain == "auto" else self.gain
        return gain * (place.fans.into * place.fans.out) ** -0.25, self.distribution


def _gain_at_zero(activation: Activation | None) -> float:
    if activation is None or not activation.pointwise:
        return 1.0
    square = (slope(activation, 0.0, side=-1) ** 2 + slope(activation, 0.0, side=1) ** 2) / 2
    if square < _ROUNDING:
        message = f"`geometric` has no gain before `{activation.kind}`, whose derivative at 0 is 0"
        raise SpecError(Problem("init", message, hint="give `gain` a number"))
    return 1 / sqrt(square)
