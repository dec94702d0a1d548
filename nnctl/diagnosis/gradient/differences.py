"""Central differences of a function along given directions, beside what its gradient predicts for the same moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nnctl.diagnosis.gradient.function import Function, Gradients, Point

Direction = Mapping[str, Tensor]


@dataclass(frozen=True)
class Here:
    """A function at one point, with all that comparisons there start from."""

    function: Function
    gradients: Gradients
    noise: Tensor
    """Standard deviation of the rounding in each term."""
    base: Point

    @staticmethod
    def of(function: Function) -> Here:
        """Take everything at the function's present point."""
        return Here(function, function.gradients(), function.noise(), function.at({}, 0.0, None, look=True))


@dataclass(frozen=True, slots=True)
class Difference:
    """Backward against measured slopes for one step; tensors have a number for every term, (K,)."""

    step: float
    error: Tensor
    """Root mean square of backward − measured over the directions: an estimate of the gradient's L2 error."""
    slopes: Tensor
    """Measured slopes along each direction, (directions, K)."""
    backward: Tensor
    """Root mean square of what the gradient says of them, (K,)."""
    noise: Tensor
    """Standard deviation that rounding gives a measured slope."""
    spread: Tensor
    """By how much another stencil differs: what the function's curvature does to the measurement."""
    bend: Tensor
    """Half the change of slope at the point. At a smooth point it falls with the step, at a kink it does not."""
    crossed: bool
    """Whether a kink lies within the step."""
    finite: bool
    """Whether the function is finite there."""
    looked: bool = True
    """Whether kinks and curvature were looked for."""

    @property
    def size(self) -> Tensor:
        """Root mean square of the measured slopes, (K,)."""
        return self.slopes.square().mean(0).sqrt()


def quick(here: Here, directions: Sequence[Direction], h: float) -> Difference:
    """Compare by two points each, without looking for kinks: enough where both agree."""
    measured, backward = [], []
    for direction in directions:
        ahead, behind = (here.function.at(direction, side, here.gradients) for side in (h, -h))
        measured.append((ahead.values - behind.values) / (2 * h))
        backward.append((ahead.predicted - behind.predicted) / (2 * h))
    error = [one - other for one, other in zip(backward, measured, strict=True)]
    nothing = torch.zeros_like(here.noise)
    slopes = torch.stack(measured)
    noise = here.noise / (2**0.5 * h)
    finite = bool(torch.isfinite(slopes).all())
    return Difference(h, _rms(error), slopes, _rms(backward), noise, nothing, nothing, False, finite, looked=False)


def careful(here: Here, directions: Sequence[Direction], h: float, look: bool = True) -> Difference:
    """Compare by four points each, which leaves an error of O(h⁴), and look at the way that the function went.

    Without `look` the step is known to stay on one smooth piece.
    """
    measured, backward, error, spread, bend = [], [], [], [], []
    crossed = False
    for direction in directions:
        near = [here.function.at(direction, side * h, here.gradients, look) for side in (1, -1)]
        far = [here.function.at(direction, side * 2 * h, here.gradients, look) for side in (1, -1)]
        crossed = crossed or (look and any(point.branch != here.base.branch for point in (*near, *far)))
        two, four = _two(near, h), _four(near, far, h)
        measured.append(four[0])
        backward.append(four[1])
        error.append(four[1] - four[0])
        spread.append(four[0] - two[0])
        bend.append((near[0].values + near[1].values - 2 * here.base.values) / (2 * h))
    slopes = torch.stack(measured)
    noise = here.noise * (65 / 72) ** 0.5 / h  # √(2·8² + 2·1²) / 12
    finite = bool(torch.isfinite(slopes).all())
    return Difference(h, _rms(error), slopes, _rms(backward), noise, _rms(spread), _rms(bend), crossed, finite)


def _two(near: Sequence[Point], h: float) -> tuple[Tensor, Tensor]:
    ahead, behind = near
    return (ahead.values - behind.values) / (2 * h), (ahead.predicted - behind.predicted) / (2 * h)


def _four(near: Sequence[Point], far: Sequence[Point], h: float) -> tuple[Tensor, Tensor]:
    (measured, predicted), (measured_far, predicted_far) = _two(near, h), _two(far, 2 * h)
    return (4 * measured - measured_far) / 3, (4 * predicted - predicted_far) / 3


def _rms(values: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(values)).square().mean(0).sqrt()
