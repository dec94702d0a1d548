"""The table of epochs that training prints line by line, and the words after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.cli.render.columns import aligned
from nnctl.cli.render.numbers import duration, measure, thousands

if TYPE_CHECKING:
    from nnctl.graph.build import Graph
    from nnctl.training.reporter import EpochReport, Start
    from nnctl.training.result import RunResult

_PREFERRED = ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "val_rmse")
_NEW_FILES = {"image_folder": "PHOTO.jpg", "csv": "TABLE.csv", "text": "LINES.txt"}
_STOPPED = {
    "finished": "finished",
    "early": "stopped early",
    "interrupted": "interrupted",
    "diverged": "diverged",
}


def introduction(start: Start) -> str:
    """Return the line above the table: what is trained, on how much, where."""
    parts = [
        start.name,
        f"{thousands(start.parameters)} parameters",
        f"{thousands(start.samples)} training samples",
        f"{thousands(start.validation)} validation samples" if start.validation else "no validation",
        start.device,
    ]
    return " · ".join(parts)


class EpochTable:
    """Rows of one width under one heading, made one at a time as epochs end."""

    def __init__(self, monitor: str, epochs: int) -> None:
        self._monitor, self._epochs = monitor, epochs
        self._columns: list[str] = []

    def heading(self, report: EpochReport) -> str:
        """Return the column titles, settled by what the first epoch measured."""
        wanted = (*_PREFERRED, self._monitor)
        self._columns = [name for name in dict.fromkeys(wanted) if name in report.metrics]
        return self._line("epoch", [*self._columns, "rate", "images/s", "time"])

    def row(self, report: EpochReport) -> str:
        """Return the row of an epoch; a star marks the best so far."""
        values = [measure(report.metrics[name]) if name in report.metrics else "-" for name in self._columns]
        speed = thousands(round(report.images_per_second))
        cells = [*values, measure(report.rate), speed, duration(report.seconds)]
        return self._line(f"{report.epoch}/{self._epochs}", cells) + ("  *" if report.improved else "")

    def _line(self, first: str, cells: list[str]) -> str:
        widths = [max(len(name), 9) for name in (*self._columns, "rate", "images/s", "time")]
        aligned_cells = (cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
        return "  ".join((first.rjust(max(5, 2 * len(str(self._epochs)) + 1)), *aligned_cells))


def summary(result: RunResult, graph: Graph) -> list[str]:
    """Return what a run of the graph's network came to and what to do next."""
    seen = f"{result.epochs} {'epoch' if result.epochs == 1 else 'epochs'}, {thousands(result.steps)} steps"
    rows = [("run", result.run), (_STOPPED[result.stopped], f"after {seen}")]
    if result.best is not None:
        rows.append(("best", f"{result.best.metric} {measure(result.best.value)} at epoch {result.best.epoch}"))
    if result.images_per_second is not None:
        rows.append(("speed", f"{thousands(round(result.images_per_second))} images/s"))
    return [*aligned(rows), *aligned(_next(result, graph))]


def _next(result: RunResult, graph: Graph) -> list[tuple[str, str]]:
    if result.stopped == "interrupted":
        return [("resume", f"nnctl train {quoted(result.run + '/spec.yaml')} --run {quoted(result.run)} --resume")]
    run = quoted(result.run)
    return [
        ("next", f"nnctl eval {run}"),
        *([("", f"nnctl predict {run} {file}")] if (file := _new_file(graph)) else []),
        ("", f"nnctl inspect {run}"),
        ("", f"nnctl export {run} weights.safetensors"),
    ]


def _new_file(graph: Graph) -> str | None:
    """Return what stands for files that a network trained on its user's own is asked about, if it can be asked."""
    from nnctl.evaluation.measure import reading_of

    spec = graph.spec
    if spec.data is None or spec.train is None or graph.facts is None:
        return None
    file = _NEW_FILES.get(spec.data.dataset.kind)
    return file if file and reading_of(graph, spec.train.loss, graph.facts).task is not None else None


def quoted(path: str) -> str:
    """Return a path as a shell takes it."""
    import shlex

    return shlex.quote(path)
