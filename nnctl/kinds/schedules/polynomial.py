"""A learning rate that falls along a power of the time that is left."""

from __future__ import annotations

from nnctl.component.base import Example
from nnctl.component.types import Positive, Share
from nnctl.kinds.schedules.base import Schedule


class Polynomial(Schedule):
    """From the full rate down to `final` of it along a power of the share of steps that are left.

    f(t) = final + (1 − final)(1 − t/T)^power for step t of T, counted after warm-up; power 1 is a straight line. With
    `final` 0 it is torch's PolynomialLR over all steps.
    """

    kind = "polynomial"
    paper = "L.-C. Chen et al., DeepLab, 2017 (the poly policy)"
    examples = (Example("polynomial"), Example("polynomial: {power: 0.9, final: 0.01, warmup: 0.05}"))

    power: Positive = 1.0
    """The exponent: above 1 the rate falls early, below 1 late."""
    final: Share = 0.0
    """The factor that the curve ends at."""

    def shape(self, step: int, steps: int, steps_per_epoch: int) -> float:
        """Return the curve's value at `step`."""
        return float(self.final + (1 - self.final) * (1 - step / steps) ** self.power)
