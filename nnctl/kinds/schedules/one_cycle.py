"""A learning rate that rises once and falls once."""

from __future__ import annotations

from math import cos, pi
from typing import Annotated, Literal

from nnctl.component.base import Example
from nnctl.component.types import Expected, Share
from nnctl.kinds.schedules.base import Schedule


class OneCycle(Schedule):
    """From `start` up to the full rate during warm-up, then down to `final` by the last step.

    The same as torch's OneCycleLR without its cycle of the momentum: with T steps the peak is at step
    warmup·T − 1 and the end at step T − 1; between two of these points the factor moves along half a cosine or
    a straight line.
    """

    kind = "one_cycle"
    paper = "Smith and Topin, Super-convergence, 2018"
    examples = (Example("one_cycle"), Example("one_cycle: {warmup: 0.1, anneal: linear}"))

    warmup: Share = 0.25
    """Share of all steps during which the rate climbs to its full size."""
    anneal: Annotated[Literal["cosine", "linear"], Expected("cosine or linear")] = "cosine"
    """The form of climb and fall."""
    start: Share = 0.04
    """The factor at the first step."""
    final: Share = 4e-6
    """The factor at the last step."""

    def factor_at(self, step: int, steps: int, steps_per_epoch: int) -> float:
        """Return the cycle's value at `step`."""
        peak, last = max(self.warmup * steps - 1, 0.0), steps - 1
        if step <= peak and peak > 0:
            return self._between(self.start, 1.0, step / peak)
        if last <= peak:
            return 1.0
        return self._between(1.0, self.final, (step - peak) / (last - peak))

    def _between(self, begin: float, end: float, share: float) -> float:
        if self.anneal == "linear":
            return begin + (end - begin) * share
        return end + (begin - end) * (1 + cos(pi * share)) / 2
