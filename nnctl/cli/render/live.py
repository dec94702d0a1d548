"""Training as a live picture on a terminal. The one module that imports rich."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from nnctl.cli.render.history import EpochTable, introduction
from nnctl.cli.render.numbers import duration, measure, share_done, sparkline, thousands
from nnctl.cli.terminal import Terminal, ascii_only
from nnctl.training.reporter import EpochReport, Reporter, Start, StepReport

_LOSSES_KEPT = 512
_SPARKLINE = 40


class LiveView(Reporter):
    """Draws bar, loss, rate, speed, time left, the best epoch and the loss's course; epochs scroll by above.

    Nothing is drawn between two hooks, so the loop pays for a picture at most ten times a second.
    """

    def __init__(self, to: Terminal) -> None:
        self._unicode = to.unicode
        self._console = Console(file=to.stream, no_color=not to.colour, highlight=False, markup=False, emoji=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._table: EpochTable | None = None
        self._start: Start | None = None
        self._began = time.monotonic()
        self._losses: list[float] = []
        self._stride = 1
        self._calls = 0
        self._stepped = False
        self._drawn = 0.0
        self._best = ""

    def __enter__(self) -> Self:
        """Take over the last lines of the terminal."""
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wipe the picture away and give the terminal back."""
        self._live.stop()

    def on_note(self, text: str) -> None:
        """Print the line above the picture."""
        self._console.print(self._text(text, "yellow"))

    def on_data(self, what: str, done: int, total: int | None) -> None:
        """Draw how far reading the data has come. It is called for every file, and draws as seldom as `on_step`."""
        now = time.monotonic()
        if now - self._drawn < self.interval:
            return
        self._drawn = now
        line = Table.grid(padding=(0, 2))
        bar = ProgressBar(total=total, completed=done, width=30, pulse=total is None)
        line.add_row(self._text(what, "bold"), bar, self._text(share_done(done, total)))
        self._live.update(line, refresh=True)

    def on_start(self, start: Start) -> None:
        """Print what is trained."""
        self._start, self._began = start, time.monotonic()
        self._console.print(self._text(introduction(start), "bold"))

    def on_step(self, report: StepReport) -> None:
        """Draw the picture anew."""
        self._stepped = True
        self._remember(report.loss)
        self._live.update(self._picture(report), refresh=True)

    def on_epoch(self, report: EpochReport) -> None:
        """Print the epoch's row, under a heading if it is the first."""
        assert self._start is not None
        best, loss = report.best, report.metrics["train_loss"]
        self._best = f"best {best.metric} {measure(best.value)} at epoch {best.epoch}"
        if not self._stepped:  # an epoch shorter than `interval`
            self._remember(loss)
        self._stepped = False
        batch, speed = self._start.steps_per_epoch, report.images_per_second
        whole = StepReport(report.step, report.epoch, batch, loss, report.rate, speed)
        self._live.update(self._picture(whole))  # the lines that are printed now draw it
        if self._table is None:
            self._table = EpochTable(self._start.monitor, self._start.epochs)
            self._console.print(self._text(self._table.heading(report), "dim"))
        self._console.print(self._text(self._table.row(report), "green" if report.improved else ""))

    def _remember(self, loss: float) -> None:
        """Keep the loss's whole course in bounded room: once full, every second value goes."""
        if self._calls % self._stride == 0:
            self._losses.append(loss)
        self._calls += 1
        if len(self._losses) >= _LOSSES_KEPT:
            self._losses = self._losses[::2]
            self._stride *= 2

    def _picture(self, report: StepReport) -> RenderableType:
        start = self._start
        assert start is not None
        bar = Table.grid(padding=(0, 2))
        bar.add_row(
            self._text(f"epoch {report.epoch}/{start.epochs}", "bold"),
            ProgressBar(total=start.steps_per_epoch, completed=report.batch, width=self._bar_width()),
            self._text(f"{100 * report.batch // start.steps_per_epoch}%"),
            self._text(f"loss {measure(report.loss)}"),
            self._text(f"rate {measure(report.rate)}", "dim"),
            self._text(f"{thousands(round(report.images_per_second))} images/s", "cyan"),
            self._text(self._time_left(report, start), "dim"),
        )
        course = self._text(f"loss {sparkline(self._losses, _SPARKLINE)}  {self._best}")
        return Group(bar, course)

    def _bar_width(self) -> int:
        return min(max(self._console.width - 72, 6), 30)  # what the numbers beside it leave

    def _time_left(self, report: StepReport, start: Start) -> str:
        done = report.step - start.step
        if done <= 0:
            return ""
        return f"{duration((time.monotonic() - self._began) / done * (start.steps - report.step))} left"

    def _text(self, text: str, style: str = "") -> Text:
        return Text(text if self._unicode else ascii_only(text), style=style, no_wrap=True, overflow="ellipsis")
