"""What a schedule is: the learning rate's factor, a closed formula of the step."""

from __future__ import annotations

from nnctl.component.base import Component
from nnctl.component.types import Count, Share


class Schedule(Component):
    """A component that says by what the learning rate is multiplied at each step."""

    family = "schedules"
    common = frozenset({"warmup", "base_batch"})

    warmup: Share = 0.0
    """Share of all steps during which the rate climbs linearly to its full size."""
    base_batch: Count | None = None
    """The batch size that the rate is meant for: it is multiplied by batch_size / base_batch, the linear scaling rule
    (Goyal et al., 2017). Not scaled if not given."""

    def scale(self, batch_size: int) -> float:
        """Return what the rate is multiplied by for batches of this size."""
        return batch_size / self.base_batch if self.base_batch else 1.0

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
        """Return the factor after warm-up, `step` and `steps` counted from its end: for all but those that have a
        `factor_at` of their own."""
        raise NotImplementedError(f"{self.kind} has a `factor_at` of its own")

    def longest_epoch(self) -> int | None:
        """Return the last epoch at which something changes, for the lint of schedules longer than training."""
        return None
