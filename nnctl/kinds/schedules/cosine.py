"""A learning rate that falls along half a cosine."""

from __future__ import annotations

from math import cos, pi

from nnctl.component.base import Example
from nnctl.component.types import Share
from nnctl.kinds.schedules.base import Schedule


class Cosine(Schedule):
    """From the full rate down to `final` of it along half a cosine.

    f(t) = final + (1 − final)(1 + cos πt/T)/2 for step t of T, counted after warm-up.
    """

    kind = "cosine"
    paper = "Loshchilov and Hutter, SGDR: stochastic gradient descent with warm restarts, 2017"
    examples = (Example("cosine"), Example("cosine: {final: 0.01, warmup: 0.05}"))

    final: Share = 0.0
    """The factor that the curve ends at."""

    def shape(self, step: int, steps: int, steps_per_epoch: int) -> float:
        """Return the curve's value at `step`."""
        return self.final + (1 - self.final) * (1 + cos(pi * step / steps)) / 2
