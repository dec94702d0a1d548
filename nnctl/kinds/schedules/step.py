"""A learning rate that drops at chosen epochs."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, model_validator

from nnctl.component.base import Example
from nnctl.component.types import Count, Expected, Positive
from nnctl.kinds.schedules.base import Schedule


class Step(Schedule):
    """The rate times `factor` after every so many epochs, or after each of the epochs named.

    f(t) = factor^⌊e/every⌋ where e epochs are complete before step t, or factor^(milestones m ≤ e). Epochs count
    from the start of training, warm-up included.
    """

    kind = "step"
    examples = (Example("step: 30"), Example("step: {milestones: [80, 120], factor: 0.1}"))

    every: Count | None = None
    """Epochs between two drops."""
    milestones: Annotated[
        tuple[Count, ...],
        BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value),
        Expected("a list of whole numbers of at least 1"),
    ] = ()
    """Epochs after which the rate drops, in place of `every`."""
    factor: Positive = 0.1
    """What the rate is multiplied by at each drop."""

    @model_validator(mode="after")
    def _check_one(self) -> Step:
        if (self.every is None) == (not self.milestones):
            raise ValueError("give either `every` or `milestones`")
        return self

    def shape(self, step: int, steps: int, steps_per_epoch: int) -> float:
        """Return the factor after the drops of the epochs complete before `step`."""
        epochs = step // steps_per_epoch
        drops = epochs // self.every if self.every else sum(milestone <= epochs for milestone in self.milestones)
        return float(self.factor**drops)

    def after_warmup(self, step: int, warm: int, steps: int, steps_per_epoch: int) -> float:
        """Return the factor by epochs counted from the start of training, where drops are meant to be."""
        return self.shape(step, steps, steps_per_epoch)

    def longest_epoch(self) -> int:
        """Return the last milestone, or the first drop where they recur."""
        return self.every or max(self.milestones)
