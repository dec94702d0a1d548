"""The error of differences by their step: curvature on one side, rounding on the other, the gradient in between."""

from __future__ import annotations

from math import sqrt

from nnctl.diagnosis.gradient.differences import Here
from nnctl.diagnosis.gradient.joint import stretches, together
from nnctl.diagnosis.gradient.result import Curve

STEPS = tuple(10 ** (-exponent / 2) for exponent in range(2, 23))
"""1e-1 … 1e-11, two to a decade."""


def error_curve(here: Here, count: int, seed: int) -> Curve:
    """Return the error of central differences of the whole loss along directions in all tensors together.

    Of a right gradient it falls with the square of the step, until rounding makes it grow again; of a wrong one it
    comes to rest at the error of the gradient.
    """
    names = list(here.function.tensors)
    directions = together(here, names, stretches(here, names), count, seed)
    noise = float(here.noise.square().sum().sqrt())
    errors, floors, crossed = [], [], []
    for h in STEPS:
        slopes, misses, kinks = [], [], False
        for direction in directions:
            ahead, behind = (here.function.at(direction, side, here.gradients, look=True) for side in (h, -h))
            slopes.append(float((ahead.values - behind.values).sum()) / (2 * h))
            misses.append(slopes[-1] - float((ahead.predicted - behind.predicted).sum()) / (2 * h))
            kinks = kinks or ahead.branch != here.base.branch or behind.branch != here.base.branch
        size = _rms(slopes) or 1.0
        errors.append(_rms(misses) / size)
        floors.append(noise / (sqrt(2) * h * size))
        crossed.append(kinks)
    return Curve(STEPS, tuple(errors), tuple(floors), tuple(crossed))


def _rms(values: list[float]) -> float:
    return sqrt(sum(value**2 for value in values) / len(values))
