"""What mean-field theory keeps of a signal: its second moment, what different inputs share of it, its mean."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log, sqrt

from torch import nn

from nnctl.diagnosis.theory.gauss import means, product_mean

_LN10 = log(10.0)
_NUDGE = 1e-3


@dataclass(frozen=True, slots=True)
class Signal:
    """The distribution of one number of a signal, over units, inputs and draws of the weights."""

    square: float
    """q: its mean square."""
    shared: float
    """Mean product of its values for two different inputs."""
    mean: float = 0.0
    """Its mean over units."""
    noise: float = 0.0
    """Variance of ln q over draws of the weights: what finite widths cause."""

    @property
    def spread(self) -> float:
        """Standard deviation of log₁₀ of the root mean square."""
        return sqrt(self.noise) / 2 / _LN10

    def through_weights(self, variance: float, bias: float, width: int, random: bool, mean: float = 0.0) -> Signal:
        """Return what leaves a linear map: q ← σ_w² q + σ_b², about the biases' mean.

        Of `width` independent normal sums, each of squared size 1 ± √2, the mean has the variance 2/width; there is
        none of that where the map is orthogonal.
        """
        noise = self.noise + (2 / width if random else 0.0)
        return Signal(variance * self.square + bias, variance * self.shared + bias, mean, noise)

    def through_activation(self, function: nn.Module, width: int) -> Signal:
        """Return what leaves an activation of normally distributed numbers: q ← E[f(z)²]."""
        if self.square <= 0:
            return self
        at = means(function, self.square, self.mean)
        above = means(function, self.square * (1 + _NUDGE), self.mean * sqrt(1 + _NUDGE))
        if at.square <= 0:
            return Signal(0.0, 0.0)
        response = log(above.square / at.square) / log(1 + _NUDGE)
        own = at.fourth / at.square**2 - 1
        noise = max(0.0, response**2 * (self.noise - 2 / width) + own / width)
        shared = product_mean(function, self.square, self.shared, self.mean)
        return Signal(at.square, shared, at.value, noise)

    def added(self, other: Signal) -> Signal:
        """Return the sum of two independent signals."""
        cross = 2 * self.mean * other.mean
        square = self.square + other.square + cross
        if square <= 0:
            return Signal(0.0, 0.0)
        noise = (self.square**2 * self.noise + other.square**2 * other.noise) / square**2
        return Signal(square, self.shared + other.shared + cross, self.mean + other.mean, noise)

    def appended(self, other: Signal, share: float) -> Signal:
        """Return both side by side, `share` of the numbers being the other's."""

        def mixed(a: float, b: float) -> float:
            return (1 - share) * a + share * b

        return Signal(
            mixed(self.square, other.square),
            mixed(self.shared, other.shared),
            mixed(self.mean, other.mean),
            max(self.noise, other.noise),
        )


@dataclass(frozen=True, slots=True)
class Error:
    """‖δ‖² of one sample, all numbers of a value together."""

    square: float
    noise: float = 0.0
    """Variance of ln ‖δ‖² over draws of the weights."""

    @property
    def spread(self) -> float:
        """Standard deviation of log₁₀ ‖δ‖."""
        return sqrt(self.noise) / 2 / _LN10

    def times(self, factor: float, noise: float = 0.0) -> Error:
        """Return what a layer makes of it on the way back."""
        return Error(self.square * factor, self.noise + noise)

    def plus(self, other: Error | None) -> Error:
        """Return the sum of what two ways send back, independent of each other."""
        if other is None:
            return self
        square = self.square + other.square
        if square <= 0:
            return replace(self, square=0.0)
        noise = (self.square**2 * self.noise + other.square**2 * other.noise) / square**2
        return Error(square, noise)
