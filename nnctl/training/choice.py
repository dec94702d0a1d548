"""Which epoch is the best, and whether training should go on."""

from __future__ import annotations

from dataclasses import dataclass

from nnctl.kinds.schedules.plateau import Plateau
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


@dataclass(frozen=True, slots=True)
class Drops:
    """A plateau schedule's memory: the value to beat, epochs without beating it, epochs to pass over, the factor."""

    best: float | None = None
    epochs: int = 0
    cooldown: int = 0
    factor: float = 1.0

    def after(self, rule: Plateau, metric: str, value: float) -> Drops:
        """Return the memory after one more epoch, whose measure `metric` came to `value`."""
        better = is_better(metric, value, self.best, rule.min_delta)
        best = value if better else self.best
        epochs = 0 if better or self.cooldown else self.epochs + 1
        cooldown = max(self.cooldown - 1, 0)
        if epochs < rule.patience:
            return Drops(best, epochs, cooldown, self.factor)
        return Drops(best, 0, rule.cooldown, max(self.factor * rule.factor, rule.least))
