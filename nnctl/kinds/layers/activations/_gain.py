"""The gain of an activation that torch has no number for."""

from __future__ import annotations

from functools import cache
from math import exp, pi, sqrt

from nnctl.kinds.layers.base import Activation

_REACH, _PANELS = 12, 600  # beyond 12 deviations the normal density is below 1e-31


@cache
def gain_of(activation: Activation) -> float:
    """Return 1/√E[f(z)²] for z ~ N(0, 1), by Simpson's rule on panels that meet at every whole number.

    Kinks of activations lie on whole numbers, so that f is smooth within each panel.
    """
    step = _REACH / _PANELS
    total = 0.0
    for panel in range(-_PANELS, _PANELS):
        left = panel * step
        for z, weight in ((left, 1), (left + step / 2, 4), (left + step, 1)):
            total += weight * activation.value(z) ** 2 * exp(-z * z / 2)
    return 1 / sqrt(total * step / 6 / sqrt(2 * pi))
