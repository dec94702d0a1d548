"""What the training loop tells while it runs: a few hooks, empty unless someone listens."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nnctl.training.result import Best, RunResult


@dataclass(frozen=True, slots=True)
class Start:
    """Known once, before the first step."""

    run: Path
    name: str
    device: str
    parameters: int
    samples: int
    """Training samples."""
    validation: int
    """Validation samples; 0 where there are none."""
    epochs: int
    steps: int
    """Optimiser steps of the whole run."""
    steps_per_epoch: int
    monitor: str
    """The measure that chooses the best weights."""
    step: int
    """Steps already taken, above 0 after a resume."""


@dataclass(frozen=True, slots=True)
class StepReport:
    """The state of the run after an optimiser step."""

    step: int
    epoch: int
    """The current epoch, counted from 1."""
    batch: int
    """Steps done in this epoch."""
    loss: float
    rate: float
    images_per_second: float


@dataclass(frozen=True, slots=True)
class EpochReport:
    """The state of the run after an epoch and its validation."""

    epoch: int
    step: int
    metrics: dict[str, float]
    """The epoch's measures by name, such as train_loss and val_accuracy."""
    rate: float
    """The learning rate of the epoch's last step."""
    images_per_second: float
    seconds: float
    """Time since the run began, earlier parts of a resumed run included."""
    best: Best
    improved: bool
    """Whether this epoch is the best so far."""


class Reporter:
    """A listener. Every hook is empty here; a subclass overrides those it needs."""

    interval: float = 0.1
    """Least seconds between two calls of `on_step`: reading the loss may wait for the device."""

    def on_note(self, text: str) -> None:
        """Take a line that the user should see: a resume, a damaged state passed over, images skipped."""

    def on_data(self, what: str, done: int, total: int | None) -> None:
        """Take how far reading the data has come: what is done, how much of it, and of how much if known."""

    def on_start(self, start: Start) -> None:
        """Take what is known before the first step."""

    def on_step(self, report: StepReport) -> None:
        """Take the state after a step, at most once in `interval` seconds."""

    def on_epoch(self, report: EpochReport) -> None:
        """Take the measures of a whole epoch."""

    def on_end(self, result: RunResult) -> None:
        """Take the run's result."""
