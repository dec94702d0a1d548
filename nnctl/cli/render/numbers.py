"""Numbers as people read them: thousands, bytes, durations, measures, sparklines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

_BARS = "▁▂▃▄▅▆▇█"


def thousands(number: int) -> str:
    """Return a whole number with commas: 9,231,114."""
    return f"{number:,}"


def duration(seconds: float) -> str:
    """Return a time as 4.2 s, 3:05 or 1:02:03."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def measure(value: float) -> str:
    """Return a loss, metric or rate with four digits that count: 0.9341, 12.30, 3.2e-05."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    if 1e-3 <= abs(value) < 1e4:
        return f"{value:.{max(0, 3 - max(0, math.floor(math.log10(abs(value)))) + (abs(value) < 1))}f}"
    return f"{value:.2e}"


def share_done(done: int, total: int | None) -> str:
    """Return how far work has come: 37%, or the plain number where nobody knows of how much."""
    return f"{100 * done // total}%" if total else thousands(done)


def sparkline(values: Sequence[float], width: int) -> str:
    """Return the course of the values in one line of at most `width` signs, each the mean of its stretch."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return ""
    columns = min(width, len(finite))
    edges = [len(finite) * column // columns for column in range(columns + 1)]
    means = [sum(finite[low:high]) / (high - low) for low, high in pairwise(edges)]
    low, high = min(means), max(means)
    span = high - low or 1.0
    return "".join(_BARS[round((mean - low) / span * (len(_BARS) - 1))] for mean in means)
