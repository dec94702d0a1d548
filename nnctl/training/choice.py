"""Which epoch is the best, and whether training should go on."""

from __future__ import annotations

from dataclasses import dataclass

from nnctl.spec.monitors import lower_is_better
from nnctl.training.result import Best


def is_better(metric: str, value: float, than: float | None, min_delta: float = 0.0) -> bool:
    """Return whether `value` beats `than` by more than `min_delta`; any value beats none."""
    if than is None:
        return True
    gain = than - value if lower_is_better(metric) else value - than
    return gain > min_delta


def better_of(best: Best | None, epoch: int, metric: str, value: float) -> Best:
    """Return the best epoch so far, the earliest of equals."""
    if best is None or is_better(metric, value, best.value):
        return Best(epoch, metric, value)
    return best


@dataclass(frozen=True, slots=True)
class Patience:
    """Early stopping's memory: the value to beat, and the epochs in a row that did not beat it."""

    best: float | None = None
    epochs: int = 0

    def after(self, metric: str, value: float, min_delta: float) -> Patience:
        """Return the memory after one more epoch."""
        if is_better(metric, value, self.best, min_delta):
            return Patience(value, 0)
        return Patience(self.best, self.epochs + 1)
