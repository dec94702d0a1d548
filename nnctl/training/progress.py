"""How far a run has come: every value that changes while it trains, apart from tensors."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from nnctl.training.choice import Drops, Patience
from nnctl.training.result import Best, Stopped


@dataclass
class Progress:
    """Counters, the best so far, and the last epoch's measures."""

    step: int = 0
    """Optimiser steps taken."""
    epoch: int = 1
    """The epoch under way, counted from 1."""
    batch: int = 0
    """Steps taken in it."""
    best: Best | None = None
    patience: Patience = field(default_factory=Patience)
    drops: Drops = field(default_factory=Drops)
    """What a plateau schedule remembers."""
    metrics: dict[str, float] = field(default_factory=dict)
    """Measures of the last whole epoch."""
    seconds: float = 0.0
    """Time since the run began, without the pauses between its parts."""
    epoch_seconds: float = 0.0
    """Training time of the epoch under way."""
    epochs_timed: list[tuple[int, float]] = field(default_factory=list)
    """Samples and seconds of training: the first epoch's, then the sum of all others."""
    stopped: Stopped | None = None
    """How the run ended; None where it has not."""

    def close_epoch(self, samples: int) -> None:
        """Count a whole epoch of `samples`."""
        if len(self.epochs_timed) < 2:
            self.epochs_timed.append((samples, self.epoch_seconds))
        else:
            before = self.epochs_timed[1]
            self.epochs_timed[1] = (before[0] + samples, before[1] + self.epoch_seconds)
        self.epoch, self.batch, self.epoch_seconds = self.epoch + 1, 0, 0.0

    @property
    def images_per_second(self) -> float | None:
        """Training samples over training time; the first epoch warms up and is left out if there are more."""
        if not self.epochs_timed:
            return None
        samples, seconds = self.epochs_timed[-1]
        return samples / seconds if seconds > 0 else None

    def as_record(self) -> dict[str, Any]:
        """Return plain values for a saved state."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Progress:
        """Return the progress that `as_record` described."""
        best = record["best"]
        timed = [(samples, seconds) for samples, seconds in record["epochs_timed"]]
        rest = {key: value for key, value in record.items() if key not in ("best", "patience", "drops", "epochs_timed")}
        return cls(
            best=Best(**best) if best else None,
            patience=Patience(**record["patience"]),
            drops=Drops(**record["drops"]),
            epochs_timed=timed,
            **rest,
        )
