"""A line search that ends where the strong Wolfe conditions hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite, sqrt

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Point:
    """A place t on the line x + t·d: φ(t) = f(x + t·d), φ′(t), and the gradient of f there."""

    t: float
    value: float
    slope: float
    gradient: Tensor


@dataclass(frozen=True, slots=True)
class Wolfe:
    """The strong Wolfe conditions: φ(t) ≤ φ(0) + c₁tφ′(0) and |φ′(t)| ≤ c₂|φ′(0)|."""

    c1: float
    c2: float

    def decreases(self, start: Point, point: Point) -> bool:
        """Return whether the value fell by its share of what the slope promised; no value but a number does."""
        return isfinite(point.value) and point.value <= start.value + self.c1 * point.t * start.slope

    def flattens(self, start: Point, point: Point) -> bool:
        """Return whether the slope is down to its share."""
        return abs(point.slope) <= self.c2 * abs(start.slope)


def line_search(
    phi: Callable[[float], Point], start: Point, first: float, wolfe: Wolfe, evaluations: int = 25
) -> Point:
    """Return a point where the strong Wolfe conditions hold (Nocedal and Wright, algorithms 3.5 and 3.6).

    `first` is tried first; `start` must go downhill. Where no such point is found with so many evaluations, as near
    a minimum, where values differ by rounding alone, it is the lowest point found that decreases, or `start` itself.
    """
    left, point = start, phi(first)
    for used in range(1, evaluations):
        if not wolfe.decreases(start, point) or (used > 1 and point.value >= left.value):
            return _zoom(phi, start, left, point, wolfe, evaluations - used)
        if wolfe.flattens(start, point):
            return point
        if point.slope >= 0:
            return _zoom(phi, start, point, left, wolfe, evaluations - used)
        left, point = point, phi(_further(left, point))
    return point if wolfe.decreases(start, point) else left


def _zoom(
    phi: Callable[[float], Point], start: Point, low: Point, high: Point, wolfe: Wolfe, evaluations: int
) -> Point:
    """Shrink the interval between `low`, the lowest point that decreases, and `high`, which holds what is sought."""
    before = 2 * abs(high.t - low.t)
    for _ in range(evaluations):
        width = abs(high.t - low.t)
        if width * abs(low.slope) <= torch.finfo(low.gradient.dtype).eps * abs(low.value):
            break  # no value in between can be told from that of `low`
        t = 0.5 * (low.t + high.t)
        if width <= 0.66 * before and isfinite(high.value):  # else the last cubic was of little help
            margin = 0.01 * width
            t = min(max(_minimiser(low, high), min(low.t, high.t) + margin), max(low.t, high.t) - margin)
        before = width
        point = phi(t)
        if not wolfe.decreases(start, point) or point.value >= low.value:
            high = point
            continue
        if wolfe.flattens(start, point):
            return point
        if point.slope * (high.t - low.t) >= 0:
            high = low
        low = point
    return low


def _further(left: Point, point: Point) -> float:
    """Return where to look next, the interval growing by a factor of 2.1 to 10: most where the slope did not rise."""
    grown = point.t - left.t
    t = _minimiser(left, point) if point.slope > left.slope else point.t + 9 * grown
    return min(max(t, point.t + 1.1 * grown), point.t + 9 * grown)


def _minimiser(a: Point, b: Point) -> float:
    """Return where the cubic through both values and slopes is least (equation 3.59); the middle if nowhere."""
    d1 = a.slope + b.slope - 3 * (a.value - b.value) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if not square >= 0:
        return 0.5 * (a.t + b.t)
    d2 = sqrt(square) if b.t > a.t else -sqrt(square)
    bottom = b.slope - a.slope + 2 * d2
    return b.t - (b.t - a.t) * (b.slope + d2 - d1) / bottom if bottom else 0.5 * (a.t + b.t)
