"""What an activation does to normally distributed numbers: the means that mean-field theory is made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import cos, exp, pi, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nnctl.kinds.layers.base import Activation

_REACH, _NODES = 12, 32  # beyond 12 deviations the normal density is below 1e-31
_STEP = 1e-4  # the nodes next to a kink are 1.4e-3 away from it


@dataclass(frozen=True)
class Moments:
    """Mean squares over z ~ N(0, 1)."""

    value: float
    """E[f(z)²]"""
    derivative: float
    """E[f′(z)²]"""


@cache
def moments(activation: Activation | None) -> Moments:
    """Return a pointwise activation's moments; None stands for f(z) = z.

    Gauss's rule on every interval between two whole numbers, where kinks lie, so that f is smooth within each.
    """
    if activation is None:
        return Moments(1.0, 1.0)
    value = derivative = 0.0
    for left in range(-_REACH, _REACH):
        for node, weight in _gauss(_NODES):
            z = left + (1 + node) / 2
            density = weight / 2 * exp(-z * z / 2) / sqrt(2 * pi)
            value += density * activation.value(z) ** 2
            derivative += density * slope(activation, z) ** 2
    return Moments(value, derivative)


def slope(activation: Activation, z: float, side: int = 0) -> float:
    """Return f′(z) by differences of fourth order; on one side of z alone where `side` is −1 or 1, as at a kink."""
    f, h = activation.value, _STEP
    if side:
        h *= side
        return (-25 * f(z) + 48 * f(z + h) - 36 * f(z + 2 * h) + 16 * f(z + 3 * h) - 3 * f(z + 4 * h)) / (12 * h)
    return (8 * (f(z + h) - f(z - h)) - (f(z + 2 * h) - f(z - 2 * h))) / (12 * h)


@cache
def _gauss(count: int) -> tuple[tuple[float, float], ...]:
    """Return nodes and weights of Gauss's rule on [−1, 1]: the roots of Legendre's polynomial, by Newton's method."""
    rule = []
    for number in range(count):
        x = cos(pi * (number + 0.75) / (count + 0.5))
        for _ in range(10):
            before, here = 1.0, x
            for k in range(2, count + 1):
                before, here = here, ((2 * k - 1) * x * here - (k - 1) * before) / k
            derivative = count * (x * here - before) / (x * x - 1)
            x -= here / derivative
        rule.append((x, 2 / ((1 - x * x) * derivative**2)))
    return tuple(rule)
