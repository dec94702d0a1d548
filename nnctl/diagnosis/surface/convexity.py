"""Whether the points of a slice can lie on a convex function."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite

from nnctl.diagnosis.surface.grid import Place

_ROUNDING = 1e-5
"""Of a loss in single precision, in units of the slice's largest finite value."""


def is_nonconvex(losses: Mapping[Place, float]) -> bool:
    """Return whether somewhere the middle of three points in a row lies above the mean of its neighbours.

    Then the loss is not convex in all weights either; that no such place is seen proves nothing.
    """
    finite = [abs(loss) for loss in losses.values() if isfinite(loss)]
    tolerance = _ROUNDING * max(finite, default=0.0)
    return any(2 * b - a - c > tolerance for a, b, c in _triples(losses) if isfinite(a + b + c))


def _triples(losses: Mapping[Place, float]) -> Iterator[tuple[float, float, float]]:
    for place, middle in losses.items():
        for way in ((1,),) if len(place) == 1 else ((0, 1), (1, 0), (1, 1), (1, -1)):
            before = losses.get(tuple(p - w for p, w in zip(place, way, strict=True)))
            after = losses.get(tuple(p + w for p, w in zip(place, way, strict=True)))
            if before is not None and after is not None:
                yield before, middle, after
