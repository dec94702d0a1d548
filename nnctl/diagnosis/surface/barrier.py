"""What lies between the two ends of a line through weights."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isfinite

from nnctl.diagnosis.surface.result import Barrier


def barrier_of(x: Sequence[float], losses: Sequence[float]) -> Barrier | None:
    """Return how far the loss rises between the ends, 0 and 1, which are among the coordinates; None where one of the
    ends itself has no finite loss."""
    between = [(at, loss if isfinite(loss) else inf) for at, loss in zip(x, losses, strict=True) if 0 <= at <= 1]
    first, last = between[0][1], between[-1][1]
    if not (isfinite(first) and isfinite(last)):
        return None
    at, highest = max(between, key=lambda point: point[1])
    above = max(loss - ((1 - place) * first + place * last) for place, loss in between)
    return Barrier(highest - max(first, last), max(above, 0.0), at)
