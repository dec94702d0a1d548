"""What `landscape` finds, as plain values."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from nnctl.diagnosis.surface.lanczos import Eigenvalue

BatchNorm: TypeAlias = Literal["frozen", "recalibrate"]
Point: TypeAlias = Literal["slope", "saddle", "minimum", "flat"]


@dataclass(frozen=True, slots=True)
class Grid:
    """Coordinates of a slice."""

    x: tuple[float, ...]
    x_name: str
    y: tuple[float, ...] | None = None
    y_name: str | None = None
    cosine: float | None = None
    """Between the two directions: near 0, the plane is not sheared."""


@dataclass(frozen=True, slots=True)
class Barrier:
    """What lies between the two ends of a line. Infinite where a point between has no finite loss."""

    height: float
    """The highest point from one end to the other, above the higher end; 0 where none is higher."""
    above_line: float
    """The most by which the loss exceeds the straight line between the losses of the ends (Entezari et al., 2022)."""
    at: float
    """Where the highest point is: 0 and 1 are the ends."""

    def __str__(self) -> str:
        """Return it in words."""
        line = f"at most {self.above_line:.4g} above the straight line between their losses"
        if self.height <= 0:
            return f"no barrier: no point between is higher than both ends, {line}"
        return f"barrier {self.height:.4g} above the higher end, at {self.at:.3g}; {line}"


@dataclass(frozen=True, slots=True)
class Sharpness:
    """The largest eigenvalue beside what plain gradient descent bears: above 2/rate a step leads upwards."""

    rate: float
    limit: float
    """2/rate."""
    ratio: float
    """λ max / limit."""


@dataclass(frozen=True, slots=True)
class Spectrum:
    """The density of eigenvalues, smoothed."""

    at: tuple[float, ...]
    density: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Curvature:
    """The Hessian of the loss at some weights."""

    loss: float
    eigenvalues: tuple[Eigenvalue, ...]
    """The largest and the smallest, falling."""
    negative_share: float
    """Share of all eigenvalues that are below 0, and its standard error: over random vectors, and of what few Lanczos
    steps leave open beside 0. None where all eigenvalues were computed."""
    negative_share_error: float | None
    negative_share_certain: float
    """The part of it that is below 0 by more than its bound: at least as many are."""
    undecided_share: float
    """Share of all eigenvalues that are not told from 0: more steps decide more of them."""
    trace: float
    trace_error: float | None
    gradient_norm: float
    point: Point
    """slope: one step along the gradient still lowers the loss by over 1%, and by over a millionth of what a network
    loses that tells no samples apart; else saddle: there is negative curvature;
    minimum: all curvature is positive; flat: none is negative, the least is not told from 0."""
    sharpness: Sharpness | None
    spectrum: Spectrum


@dataclass(frozen=True, slots=True)
class LandscapeResult:
    """A slice of the loss surface, and the curvature at its centre. What was not asked for is None here and absent from
    the JSON object."""

    name: str
    data: str
    samples: int
    parameters: int
    """Learned numbers."""
    centre: float
    """The loss at the weights themselves."""
    seed: int
    chance: float | None = None
    """The loss of equal probabilities, ln C."""
    batch_norm: BatchNorm | None = None
    """What became of running statistics off the centre, where there are any."""
    grid: Grid | None = None
    loss: tuple[float, ...] | tuple[tuple[float, ...], ...] | None = None
    """At each x, or a row of them for each y."""
    nonconvex: bool | None = None
    """Whether the slice proves that the loss is not convex; a convex slice proves nothing."""
    to: str | None = None
    """The network at the line's other end."""
    barrier: Barrier | None = None
    """Of a line whose ends have finite losses."""
    eigenvalues: tuple[Eigenvalue, ...] | None = None
    negative_share: float | None = None
    negative_share_error: float | None = None
    negative_share_certain: float | None = None
    undecided_share: float | None = None
    trace: float | None = None
    trace_error: float | None = None
    gradient_norm: float | None = None
    point: Point | None = None
    sharpness: Sharpness | None = None
    spectrum: Spectrum | None = None
    other: Curvature | None = None
    """The curvature at the line's other end."""
    files: tuple[str, ...] | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints."""
        return _present(asdict(self))


def _present(values: dict[str, Any]) -> dict[str, Any]:
    return {k: _present(v) if isinstance(v, dict) else v for k, v in values.items() if v is not None}
