"""The loss over a slice, measured point by point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path

import torch

from nnctl.data.progress import Progress
from nnctl.diagnosis.surface.batch_norm import norms_of, recalibrate
from nnctl.diagnosis.surface.grid import Place, Record, along_line, around_zero, measure_grid
from nnctl.diagnosis.surface.hessian import Loss
from nnctl.diagnosis.surface.result import BatchNorm, Grid
from nnctl.diagnosis.surface.setting import Setting
from nnctl.diagnosis.surface.slices import Slice, line_between, random_slice, weight_plane
from nnctl.errors import Problem, UsageError

_POINTS = {1: 41, 2: 21}


@dataclass(frozen=True, slots=True)
class Wish:
    """Which slice is asked for."""

    dims: int
    points: int
    """On each axis, at least: one more may be needed for the weights themselves to be among them."""
    span: float
    """From the middle of each axis to either end."""
    weights: bool
    """Whether the axes are the network's own two weights."""
    batch_norm: BatchNorm
    seed: int


def wish_of(
    dims: int | None, points: int | None, span: float, weights: bool, batch_norm: BatchNorm, seed: int, line: bool
) -> Wish:
    """Return what is asked for, with what was left out filled in. Raises UsageError where it cannot be."""
    wanted = dims if dims is not None else 1 if line else 2
    count = points if points is not None else _POINTS.get(wanted, 0)
    mistakes = (
        (wanted not in (1, 2), f"expected 1 or 2 dimensions, found {wanted}"),
        (points is not None and points < 3, f"expected at least 3 points on each axis, found {points}"),
        (not (isfinite(span) and span > 0), f"expected a span above 0, found {span}"),
        (line and 0 < span < 0.5, f"the line's ends lie 0.5 from its middle, --span {span} does not reach them"),
        (
            line and count - 1 < 2 * span,
            f"{count} points are too few for a line of span {span} with both ends among them",
        ),
        (line and wanted == 2, "the line between two checkpoints has one dimension, --dims asks for 2"),
        (line and weights, "--weights draws one network over its own weights, two were given"),
        (weights and wanted == 1, "--weights draws two weights, --dims asks for 1"),
        (batch_norm not in ("frozen", "recalibrate"), f"expected frozen or recalibrate, found {batch_norm}"),
    )
    for wrong, message in mistakes:
        if wrong:
            raise UsageError(Problem("usage", message))
    return Wish(wanted, count, span, weights, batch_norm, seed)


@dataclass(frozen=True)
class Measured:
    """A slice and the loss at its points."""

    grid: Grid
    losses: dict[Place, float]
    centre: tuple[float, float]
    """Where the weights themselves stand."""

    @property
    def loss(self) -> tuple[float, ...] | tuple[tuple[float, ...], ...]:
        """Return the losses at each x, or a row of them for each y."""
        columns = range(len(self.grid.x))
        if self.grid.y is None:
            return tuple(self.losses[(column,)] for column in columns)
        return tuple(tuple(self.losses[row, column] for column in columns) for row in range(len(self.grid.y)))


def measure_slice(
    setting: Setting, end: Setting | None, wish: Wish, place: torch.device, record: Path | None, progress: Progress
) -> Measured:
    """Return the loss over the slice that is wished for, or on the line to `end`.

    With a `record`, points are written to that file as they are measured, and taken from it if they are there.
    """
    loss = setting.loss(place)
    slice_, centre = _slice(loss, end, wish)
    norms = norms_of(loss.net)
    if norms and wish.batch_norm == "recalibrate":

        def loss_at(*coordinates: float) -> float:
            slice_.move(*coordinates)
            recalibrate(norms, loss.parts)
            return loss.value()
    else:

        def loss_at(*coordinates: float) -> float:
            slice_.move(*coordinates)
            return loss.value()

    axes = _axes(end, wish)
    file = None if record is None else Record(record, describe(setting, end, wish))
    losses = measure_grid(loss_at, axes, file, progress)
    names = slice_.names
    grid = Grid(axes[0], names[0], *((axes[1], names[1], slice_.cosine) if wish.dims == 2 else ()))
    return Measured(grid, losses, centre)


def describe(setting: Setting, end: Setting | None, wish: Wish) -> dict[str, object]:
    """Return all that the losses of a slice depend on, and where its points stand."""
    own = {"network": setting.identity, "to": end.identity if end else None, **asdict(wish)}
    return {**own, "axes": _axes(end, wish)}


def _axes(end: Setting | None, wish: Wish) -> list[tuple[float, ...]]:
    if end is not None:
        return [along_line(wish.span, wish.points)]
    return [around_zero(wish.span, wish.points)] * wish.dims


def _slice(loss: Loss, end: Setting | None, wish: Wish) -> tuple[Slice, tuple[float, float]]:
    if end is not None:
        return line_between(loss.net, end.net.state_dict(), _ends(end)), (0.0, 0.0)
    if wish.weights:
        return weight_plane(loss.net)
    return random_slice(loss.net, wish.dims, wish.seed), (0.0, 0.0)


def _ends(end: Setting) -> Sequence[str]:
    return ("share of the way to the second",)
