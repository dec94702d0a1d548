"""What a schedule is: the learning rate's factor, a closed formula of the step."""

from __future__ import annotations

from nnctl.component.base import Component
from nnctl.component.types import Share


class Schedule(Component):
    """A component that says by what the learning rate is multiplied at each step."""

    family = "schedules"
    common = frozenset({"warmup"})

    warmup: Share = 0.0
    """Share of all steps during which the rate climbs linearly to its full size."""

    def factor_at(self, step: int, steps: int, steps_per_epoch: int) -> float:
        """Return the factor for `step` (0 … steps − 1) of `steps` in all, warm-up included."""
        warm = round(self.warmup * steps)
        if step < warm:
            return (step + 1) / (warm + 1)
        return self.after_warmup(step, warm, steps, steps_per_epoch)

    def after_warmup(self, step: int, warm: int, steps: int, steps_per_epoch: int) -> float:
        """Return the factor at `step`, counted from the start, of which `warm` steps were warm-up."""
        return self.shape(step - warm, max(steps - warm, 1), steps_per_epoch)

    def shape(self, step: int, steps: int, steps_per_epoch: int) -> float:
        """Return the factor after warm-up, `step` and `steps` counted from its end."""
        raise NotImplementedError

    def longest_epoch(self) -> int | None:
        """Return the last epoch at which something changes, for the lint of schedules longer than training."""
        return None
