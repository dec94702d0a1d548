"""What a training run comes to: the keys of `train --json` as a frozen object."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias

Stopped: TypeAlias = Literal["finished", "early", "interrupted", "diverged"]


@dataclass(frozen=True, slots=True)
class Best:
    """The epoch whose weights are kept, and the measure that chose it."""

    epoch: int
    metric: str
    value: float


@dataclass(frozen=True, slots=True)
class RunResult:
    """The end of a run. What was not measured is None here and absent from the JSON object."""

    run: str
    """The run directory."""
    epochs: int
    """Whole epochs trained, those before a resume included."""
    steps: int
    """Optimiser steps taken."""
    stopped: Stopped
    best: Best | None = None
    images_per_second: float | None = None
    signal: int | None = None
    """The signal that interrupted the run: 2 (Ctrl-C) or 15."""
    metrics: dict[str, float] = field(default_factory=dict)
    """Every measure of the last epoch by name; the usual ones are attributes too."""

    def __getattr__(self, name: str) -> float | None:
        """Return a measure of the last epoch such as `val_accuracy`, or None where it was not measured."""
        if name.startswith(("train_", "val_")):
            return self.metrics.get(name)
        raise AttributeError(name)

    def as_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints."""
        values = {key: value for key, value in asdict(self).items() if value is not None and key != "metrics"}
        return values | self.metrics
