"""Training as plain lines, for files and pipes: one an epoch, and now and then one within a long epoch."""

from __future__ import annotations

import time

from nnctl.cli.render.history import EpochTable, introduction
from nnctl.cli.render.numbers import measure, share_done, thousands
from nnctl.cli.terminal import Terminal
from nnctl.training.reporter import EpochReport, Reporter, Start, StepReport


class PlainView(Reporter):
    """Prints lines that are never redrawn."""

    interval = 10.0

    def __init__(self, to: Terminal) -> None:
        self._to = to
        self._start: Start | None = None
        self._table: EpochTable | None = None
        self._spoke = time.monotonic()
        self._reading = ""

    def on_note(self, text: str) -> None:
        """Print the line."""
        self._say(text)

    def on_data(self, what: str, done: int, total: int | None) -> None:
        """Print what is being read, and now and then how far that has come."""
        if what != self._reading:
            self._reading = what
            self._say(f"{what} …")
        elif time.monotonic() - self._spoke >= self.interval:
            self._say(f"{what}: {share_done(done, total)}")

    def on_start(self, start: Start) -> None:
        """Print what is trained."""
        self._start = start
        self._say(introduction(start))

    def on_step(self, report: StepReport) -> None:
        """Print how far a long epoch has come, at most every ten seconds and not within ten of another line."""
        if self._start is None or time.monotonic() - self._spoke < self.interval:
            return
        self._say(
            f"epoch {report.epoch}/{self._start.epochs}, step {report.batch}/{self._start.steps_per_epoch}: "
            f"loss {measure(report.loss)}, {thousands(round(report.images_per_second))} images/s"
        )

    def on_epoch(self, report: EpochReport) -> None:
        """Print the epoch's row, under a heading if it is the first."""
        assert self._start is not None
        if self._table is None:
            self._table = EpochTable(self._start.monitor, self._start.epochs)
            self._say(self._table.heading(report))
        self._say(self._table.row(report))

    def _say(self, text: str) -> None:
        self._spoke = time.monotonic()
        self._to.print(text)
