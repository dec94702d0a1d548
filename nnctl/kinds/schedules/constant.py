"""A learning rate that stays."""

from __future__ import annotations

from nnctl.component.base import Example
from nnctl.kinds.schedules.base import Schedule


class Constant(Schedule):
    """The full learning rate throughout, after warm-up if there is one."""

    kind = "constant"
    examples = (Example("constant"), Example("constant: {warmup: 0.1}"))

    def shape(self, step: int, steps: int, steps_per_epoch: int) -> float:
        """Return 1."""
        return 1.0
