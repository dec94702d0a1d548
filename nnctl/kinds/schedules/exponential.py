"""A learning rate that shrinks by the same factor every epoch."""

from __future__ import annotations

from nnctl.component.base import Example
from nnctl.component.types import Keep
from nnctl.kinds.schedules.base import Schedule


class Exponential(Schedule):
    """The rate times `gamma` after each epoch.

    f(t) = gamma^e where e epochs are complete before step t, warm-up included: torch's ExponentialLR.
    """

    kind = "exponential"
    examples = (Example("exponential: 0.95"), Example("exponential: {gamma: 0.9, warmup: 0.1}"))

    gamma: Keep
    """What the rate is multiplied by after each epoch."""

    def shape(self, step: int, steps: int, steps_per_epoch: int) -> float:
        """Return the factor after the epochs complete before `step`."""
        return float(self.gamma ** (step // steps_per_epoch))

    def after_warmup(self, step: int, warm: int, steps: int, steps_per_epoch: int) -> float:
        """Return the factor by epochs counted from the start of training."""
        return self.shape(step, steps, steps_per_epoch)
