"""A learning rate that drops when a measure stops getting better."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from nnctl.component.base import Example
from nnctl.component.types import Count, Expected, NonNegative, Share, Text, WholeNumber
from nnctl.kinds.schedules.base import Schedule


class Plateau(Schedule):
    """The rate times `factor` each time the measure has not got better for `patience` epochs in a row.

    After a drop `cooldown` epochs pass before epochs count again. It is the one schedule that depends on how training
    goes; what it remembers is saved with each state. Better means better by more than `min_delta`. torch's
    ReduceLROnPlateau with threshold_mode="abs" drops after the same epochs if its patience is one less: it waits for
    more than `patience` epochs.
    """

    kind = "plateau"
    examples = (Example("plateau"), Example("plateau: {factor: 0.5, patience: 3, monitor: train_loss}"))

    factor: Annotated[float, Field(gt=0, lt=1), Expected("a number between 0 and 1")] = 0.1
    """What the rate is multiplied by at each drop."""
    patience: Count = 5
    """Epochs in a row without getting better before a drop."""
    monitor: Text | None = None
    """What is watched; the spec's `monitor` if not given."""
    min_delta: NonNegative = 0.0
    """By how much better counts as better."""
    cooldown: WholeNumber = 0
    """Epochs after a drop that do not count."""
    least: Share = 0.0
    """The factor that drops do not go below."""

    def shape(self, step: int, steps: int, steps_per_epoch: int) -> float:
        """Return 1: drops are the training loop's, which knows the measure."""
        return 1.0

    def longest_epoch(self) -> int:
        """Return the first epoch after which the rate can drop: the first of all is always better than none."""
        return self.patience + 1
