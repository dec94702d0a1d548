"""Taylor's remainder: what a loss does beyond its gradient shrinks with the square of the step."""

from __future__ import annotations

from math import inf, log, sqrt

from nnctl.diagnosis.gradient.differences import Here
from nnctl.diagnosis.gradient.directions import signs, unit
from nnctl.diagnosis.gradient.function import norms
from nnctl.diagnosis.gradient.result import Taylor

STEPS = tuple(10 ** (-exponent / 2) for exponent in range(2, 13))
"""1e-1 … 1e-6, two to a decade."""
_CLEAR = 1e3
"""How far above rounding a remainder must stand to be part of the slope."""
_SMALL = 0.1
"""Largest share of the step's own effect: above, higher terms than the second are still seen."""
_SHORT = 1.01e-3
"""Steps so short that a larger share is the error of a wrong gradient; its remainder has slope 1."""


def taylor(here: Here, seed: int) -> Taylor:
    """Return the remainders of the whole loss along one direction in all tensors, each moved as far as all others.

    Only steps without a kink in between count for the slope.
    """
    tensors = here.function.tensors
    scale = {name: unit(tensor) / sqrt(tensor.numel()) for name, tensor in tensors.items()}
    direction = {name: scale[name] * signs(tensor, seed, "taylor", name) for name, tensor in tensors.items()}
    size = sum(float(scale[name] * norms(here.gradients[name]).sum()) for name in tensors)
    noise, start = float(here.noise.square().sum().sqrt()), float(here.base.values.sum())
    remainders, clear = [], []
    for h in STEPS:
        point = here.function.at(direction, h, here.gradients, look=True)
        remainder = abs(float(point.values.sum()) - start - float(point.predicted.sum()))
        remainders.append(remainder)
        if point.branch == here.base.branch and _CLEAR * noise < remainder < (inf if h < _SHORT else _SMALL * h * size):
            clear.append((log(h), log(remainder)))
    return Taylor(STEPS, tuple(remainders), _slope(clear))


def _slope(points: list[tuple[float, float]]) -> float | None:
    """Return the slope of the least-squares line, or None for fewer than three points."""
    if len(points) < 3:
        return None
    mean_x, mean_y = (sum(values) / len(points) for values in zip(*points, strict=True))
    slope: float = sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)
    return slope
